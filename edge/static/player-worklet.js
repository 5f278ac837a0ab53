// Plays replies in order, pauses and drops them with a short fade, and tells how many samples were played.

const FADE_S = 0.005;
const REPORT_EVERY_S = 0.1;

/** One reply: its chunks by position, kept until it is over so that it can go on from any sample. */
class Reply {
  constructor(id) {
    this.id = id;
    this.chunks = [];
    this.position = 0;
    this.total = Infinity;
    this.chunk = 0;
  }

  /** The next sample, or null where it has not come yet. */
  next() {
    while (this.chunk < this.chunks.length) {
      const { first, samples } = this.chunks[this.chunk];
      if (this.position < first + samples.length) {
        if (this.position < first) return null;
        this.position += 1;
        return samples[this.position - 1 - first] / 32768;
      }
      this.chunk += 1;
    }
    return null;
  }

  goTo(position) {
    this.position = Math.min(position, this.total);
    this.chunk = 0;
  }

  get over() {
    return this.position >= this.total;
  }
}

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.replies = [];
    this.done = new Set();
    this.paused = false;
    this.fadeLeft = 0;
    this.fade = Math.round(sampleRate * FADE_S);
    this.afterFade = null;
    this.sinceReport = 0;
    this.port.onmessage = ({ data }) => this.obey(data);
  }

  obey(command) {
    // What concerns a reply that is over may still be on its way here.
    if (this.done.has(command.replyId)) return;
    switch (command.type) {
      case "audio": this.find(command.replyId).chunks.push({
        first: command.firstSample, samples: new Int16Array(command.pcm),
      }); break;
      case "ended": this.find(command.replyId).total = command.totalSamples; break;
      case "pause": this.fadeOut(() => { this.paused = true; this.report(); }); break;
      case "resume":
        // Without a sample: from where it is.
        if (command.fromSample !== undefined) this.find(command.replyId).goTo(command.fromSample);
        this.afterFade = null;
        this.fadeLeft = 0;
        this.paused = false;
        break;
      case "drop": this.drop(command.replyId); break;
    }
  }

  drop(id) {
    this.done.add(id);
    const gone = () => {
      this.report();
      this.replies = this.replies.filter((reply) => reply.id !== id);
      this.paused = false;
    };
    if (this.replies[0]?.id === id && !this.paused) this.fadeOut(gone);
    else gone();
  }

  fadeOut(then) {
    this.afterFade = then;
    if (this.fadeLeft === 0) this.fadeLeft = this.fade;
  }

  find(id) {
    let reply = this.replies.find((each) => each.id === id);
    if (!reply) {
      reply = new Reply(id);
      this.replies.push(reply);
    }
    return reply;
  }

  process(_, [[out]]) {
    for (let index = 0; index < out.length; index += 1) out[index] = this.sample();
    this.sinceReport += out.length;
    if (this.sinceReport >= sampleRate * REPORT_EVERY_S && !this.paused) this.report();
    return true;
  }

  sample() {
    const reply = this.replies[0];
    const value = reply && !this.paused ? reply.next() : null;
    let shown = value ?? 0;
    if (this.afterFade) {
      shown *= this.fadeLeft / this.fade;
      this.fadeLeft -= 1;
      if (this.fadeLeft <= 0) {
        const then = this.afterFade;
        this.afterFade = null;
        this.fadeLeft = 0;
        then();
      }
    } else if (reply?.over) {
      this.report();
      this.done.add(this.replies.shift().id);
    }
    return shown;
  }

  report() {
    this.sinceReport = 0;
    const reply = this.replies[0];
    if (reply && reply.position > 0) {
      this.port.postMessage({ replyId: reply.id, samples: reply.position, playing: !this.paused && !reply.over });
    }
  }
}

registerProcessor("player", Player);
