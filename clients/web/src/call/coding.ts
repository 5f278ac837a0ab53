// How a call's sound is written on the wire: as it is, or as Opus where the connection is short.

import { knowsOpus } from "../audio/opus";
import type { Piece } from "../audio/recent";
import type { ReplyAudio } from "../gen/vivavoce/conversation/v1/converse_pb";
import { AudioEncoding } from "../gen/vivavoce/type/v1/audio_pb";
import type { Bandwidth } from "./preferences";
import type { ClientEvent } from "./wire";

/** A stretch of a reply, as the loudspeaker takes it. */
export interface Stretch {
  readonly replyId: string;
  readonly firstSample: number;
  readonly pcm: ArrayBuffer;
}

export interface CodingListener {
  send(event: ClientEvent): void;
  play(stretch: Stretch): void;
  /** It can't go on; what comes next should be as it is. */
  failed(): void;
}

export interface Coding {
  readonly encoding: AudioEncoding;
  /** Another stream begins. */
  begin(): void;
  /** The learner's next sound. */
  spoken(piece: Piece): void;
  /** The tutor's next sound. */
  heard(audio: ReplyAudio): void;
  close(): void;
}

export class PlainCoding implements Coding {
  readonly encoding = AudioEncoding.PCM_S16LE;
  readonly #listener: CodingListener;

  constructor(listener: CodingListener) {
    this.#listener = listener;
  }

  begin(): void {}

  spoken({ firstSample, pcm }: Piece): void {
    const sound = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    this.#listener.send({ case: "appendAudio", value: { firstSample: BigInt(firstSample), pcm: sound } });
  }

  heard({ replyId, firstSample, pcm }: ReplyAudio): void {
    // A copy of its own: the message's buffer holds its other parts too, and samples want an even start.
    this.#listener.play({ replyId, firstSample: Number(firstSample), pcm: pcm.slice().buffer });
  }

  close(): void {}
}

interface NetworkInformation {
  readonly saveData?: boolean;
  readonly effectiveType?: string;
}

const SHORT = ["slow-2g", "2g", "3g"];

/** Whether the browser holds the connection for a short one; few browsers say. */
export function isShort(connection: NetworkInformation | undefined): boolean {
  return connection?.saveData === true || SHORT.includes(connection?.effectiveType ?? "");
}

/** Whether a call that begins now asks for Opus. */
export async function wantsOpus(bandwidth: Bandwidth): Promise<boolean> {
  const { connection } = navigator as { connection?: NetworkInformation };
  const wanted = bandwidth === "little" || (bandwidth === "auto" && isShort(connection));
  return wanted && (await knowsOpus());
}
