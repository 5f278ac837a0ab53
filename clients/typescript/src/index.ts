// Vivavoce for programs in Node.js: sign in, and hold conversations that outlast cuts, with sound in and out.

export { Conversation, type ConversationEvent } from "./conversation.js";
export { type Reason, type Remedy, UnreachableError, VivavoceError } from "./errors.js";
export { JitterBuffer } from "./jitter.js";
export type { Settings } from "./lasting.js";
export { type Loudspeaker, type Played, Reader } from "./loudspeaker.js";
export { type Microphone, raw, recorded } from "./microphone.js";
export { bytesOf, samplesOf } from "./pcm.js";
export { type ConnectOptions, type ConverseOptions, Vivavoce } from "./vivavoce.js";
