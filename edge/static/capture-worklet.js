// Cuts the microphone's sound into frames of 20 ms, signed 16 bit, at the device's own rate.

const FRAMES_A_SECOND = 50;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.frame = new Int16Array(Math.round(sampleRate / FRAMES_A_SECOND));
    this.filled = 0;
    this.muted = false;
    this.loudest = 0;
    this.port.onmessage = ({ data }) => { this.muted = data.muted; };
  }

  process([[channel]]) {
    // Without a source there is no channel; time goes on all the same.
    const length = channel ? channel.length : 128;
    for (let index = 0; index < length; index += 1) {
      const value = channel && !this.muted ? Math.max(-1, Math.min(1, channel[index])) : 0;
      this.loudest = Math.max(this.loudest, Math.abs(value));
      this.frame[this.filled] = value < 0 ? value * 32768 : value * 32767;
      this.filled += 1;
      if (this.filled === this.frame.length) this.hand();
    }
    return true;
  }

  hand() {
    const length = this.frame.length;
    const pcm = this.frame.buffer;
    this.port.postMessage({ pcm, loudest: this.loudest }, [pcm]);
    this.frame = new Int16Array(length);
    this.filled = 0;
    this.loudest = 0;
  }
}

registerProcessor("capture", Capture);
