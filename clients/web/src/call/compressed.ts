// A call's sound as Opus: an encoder for each stream, a decoder for each stretch of a reply without a gap.

import { OUTPUT_HZ } from "../audio/messages";
import { OpusReader, OpusWriter } from "../audio/opus";
import type { Piece } from "../audio/recent";
import type { ReplyAudio } from "../gen/vivavoce/conversation/v1/converse_pb";
import { AudioEncoding } from "../gen/vivavoce/type/v1/audio_pb";
import type { Coding, CodingListener } from "./coding";

const PACKET_SAMPLES = OUTPUT_HZ / 50;

export class OpusCoding implements Coding {
  readonly encoding = AudioEncoding.OPUS;
  readonly #listener: CodingListener;
  #writer: OpusWriter | null = null;
  #reader: OpusReader | null = null;
  #replyId = "";
  /** Where the packets so far end. */
  #next = 0;

  constructor(listener: CodingListener) {
    this.#listener = listener;
  }

  begin(): void {
    this.close();
  }

  spoken({ firstSample, pcm }: Piece): void {
    this.#writer ??= new OpusWriter(
      firstSample,
      (at, packet) =>
        this.#listener.send({ case: "appendAudio", value: { firstSample: BigInt(at), opusPackets: [packet] } }),
      () => this.#listener.failed(),
    );
    this.#writer.write(pcm);
  }

  heard({ replyId, firstSample, opusPackets }: ReplyAudio): void {
    const first = Number(firstSample);
    if (!this.#reader || replyId !== this.#replyId || first !== this.#next) {
      void this.#reader?.end();
      this.#reader = this.#readerOf(replyId, first);
    }
    for (const packet of opusPackets) this.#reader.read(packet);
    this.#replyId = replyId;
    this.#next = first + opusPackets.length * PACKET_SAMPLES;
  }

  close(): void {
    this.#writer?.close();
    this.#reader?.close();
    this.#writer = this.#reader = null;
  }

  #readerOf(replyId: string, first: number): OpusReader {
    return new OpusReader(
      first,
      (firstSample, pcm) => this.#listener.play({ replyId, firstSample, pcm: pcm.buffer }),
      () => this.#listener.failed(),
    );
  }
}
