// Encodes and decodes the protobuf messages of Converse that this page uses, and no more.

/** Fields by message: name → [number, type]; a type is a scalar's name or a message's, "*" before it means repeated. */
export const MESSAGES = {
  ConverseRequest: {
    startSession: [1, "StartSession"], appendAudio: [2, "AppendAudio"], submitText: [3, "SubmitText"],
    reportPlayed: [4, "ReportPlayed"], commitTurn: [5, "CommitTurn"], holdTurn: [6, "HoldTurn"],
    cancelReply: [7, "CancelReply"], repeatReply: [8, "RepeatReply"], refreshAccess: [9, "RefreshAccess"],
    endSession: [12, "EndSession"],
  },
  StartSession: {
    newConversation: [1, "ConversationSettings"], resume: [3, "ResumeSession"], inputAudio: [4, "AudioFormat"],
    outputAudio: [5, "AudioFormat"], client: [6, "string"],
  },
  ResumeSession: { resumeToken: [1, "string"], lastSequence: [2, "int"] },
  ConversationSettings: { scenarioId: [1, "string"] },
  AudioFormat: { encoding: [1, "int"], sampleRateHz: [2, "int"] },
  AppendAudio: { firstSample: [1, "int"], pcm: [2, "bytes"] },
  SubmitText: { text: [1, "string"] },
  ReportPlayed: { replyId: [1, "string"], samples: [2, "int"] },
  CommitTurn: {},
  HoldTurn: { held: [1, "bool"] },
  CancelReply: { replyId: [1, "string"] },
  RepeatReply: { replyId: [1, "string"], speakingRate: [2, "float"] },
  RefreshAccess: { accessToken: [1, "string"] },
  EndSession: { endConversation: [1, "bool"] },

  ConverseResponse: {
    sequence: [1, "int"], sessionStarted: [2, "SessionStarted"], speechStarted: [3, "SpeechStarted"],
    speechEnded: [4, "SpeechEnded"], transcriptRevised: [5, "TranscriptRevised"], turnCommitted: [6, "TurnCommitted"],
    replyStarted: [7, "ReplyStarted"], replyText: [8, "ReplyText"], replyAudio: [9, "ReplyAudio"],
    replyAudioEnded: [10, "ReplyAudioEnded"], replyPaused: [11, "ReplyPaused"], replyResumed: [12, "ReplyResumed"],
    replyFinished: [13, "ReplyFinished"], feedbackGiven: [14, "FeedbackGiven"],
    scenarioProgressed: [15, "ScenarioProgressed"], replyMeasured: [16, "ReplyMeasured"],
    errorRaised: [17, "ErrorRaised"], accessExpiring: [18, "AccessExpiring"], goAway: [19, "GoAway"],
    sessionEnded: [21, "SessionEnded"],
  },
  SessionStarted: {
    sessionId: [1, "string"], resumeToken: [3, "string"], engineLabels: [6, "*string"], resumed: [8, "bool"],
    nextInputSample: [9, "int"],
  },
  SpeechStarted: { turnId: [1, "string"], revision: [2, "int"], atSample: [3, "int"] },
  SpeechEnded: { turnId: [1, "string"], revision: [2, "int"], atSample: [3, "int"], waitMs: [4, "int"] },
  TranscriptRevised: { turnId: [1, "string"], revision: [2, "int"], text: [3, "string"] },
  TurnCommitted: {
    turnId: [1, "string"], revision: [2, "int"], sequence: [3, "int"], text: [4, "string"], typed: [5, "bool"],
  },
  ReplyStarted: { replyId: [1, "string"], turnId: [2, "string"] },
  ReplyText: { replyId: [1, "string"], text: [2, "string"] },
  ReplyAudio: { replyId: [1, "string"], firstSample: [2, "int"], pcm: [3, "bytes"] },
  ReplyAudioEnded: { replyId: [1, "string"], totalSamples: [2, "int"] },
  ReplyPaused: { replyId: [1, "string"] },
  ReplyResumed: { replyId: [1, "string"], fromSample: [2, "int"] },
  ReplyFinished: {
    replyId: [1, "string"], outcome: [2, "int"], heardText: [3, "string"], heardSamples: [4, "int"],
    totalSamples: [5, "int"],
  },
  FeedbackGiven: { turnId: [1, "string"], correction: [2, "Correction"], remark: [3, "Remark"] },
  Correction: { kind: [1, "int"], said: [2, "string"], better: [3, "string"], explanation: [4, "string"] },
  Remark: { fluency: [1, "Fluency"], vocabulary: [2, "Vocabulary"], pronunciation: [3, "Pronunciation"] },
  Fluency: {
    wordCount: [1, "int"], wordsPerMinute: [2, "double"], pauseCount: [3, "int"], fillerCount: [6, "int"],
  },
  Vocabulary: { level: [1, "int"], words: [2, "*LeveledWord"] },
  LeveledWord: { word: [1, "string"], level: [2, "int"] },
  Pronunciation: { approximate: [2, "bool"], words: [3, "*PronouncedWord"] },
  PronouncedWord: { word: [1, "string"], expectedSounds: [3, "string"], heardSounds: [4, "string"] },
  ScenarioProgressed: { progress: [1, "ScenarioProgress"] },
  ScenarioProgress: {
    scenarioId: [1, "string"], reachedGoalIds: [2, "*string"], goalCount: [3, "int"], finished: [4, "bool"],
  },
  ReplyMeasured: { replyId: [1, "string"], turnId: [2, "string"], ledger: [3, "Ledger"] },
  Ledger: { totalMs: [1, "double"], stages: [2, "*LedgerStage"] },
  LedgerStage: { name: [1, "string"], durationMs: [2, "double"] },
  ErrorRaised: { failure: [1, "Failure"] },
  Failure: { reason: [1, "int"], message: [2, "string"], field: [3, "string"], retryable: [4, "bool"] },
  AccessExpiring: {},
  GoAway: { resumeToken: [1, "string"] },
  SessionEnded: { failure: [1, "Failure"], turnCount: [2, "int"] },
};

const WIRE = { int: 0, bool: 0, double: 1, string: 2, bytes: 2, float: 5 };
const EMPTY = { int: 0, bool: false, double: 0, float: 0, string: "" };
const utf8 = new TextEncoder();
const text = new TextDecoder();

/** The bytes of a ConverseRequest, given as an object with one event: `{submitText: {text: "Hello"}}`. */
export function encode(request) {
  return encodeMessage("ConverseRequest", request);
}

/** A ConverseResponse as `{sequence, event, value}`; fields that did not come have their defaults. */
export function decode(bytes) {
  const message = decodeMessage("ConverseResponse", bytes);
  const event = Object.keys(message).find((name) => name !== "sequence" && message[name] !== null) ?? "";
  return { sequence: message.sequence, event, value: message[event] };
}

/** The bytes of a message of the table above. */
export function encodeMessage(name, message) {
  const parts = [];
  for (const [field, value] of Object.entries(message)) {
    if (value === undefined || value === null) continue;
    const [number, type] = MESSAGES[name][field];
    const wire = WIRE[type] ?? 2;
    parts.push(varint(number * 8 + wire));
    if (wire === 0) parts.push(varint(Number(value)));
    else if (wire === 5) parts.push(new Uint8Array(new Float32Array([value]).buffer));
    else if (wire === 1) parts.push(new Uint8Array(new Float64Array([value]).buffer));
    else {
      const body = type === "bytes" ? value : type === "string" ? utf8.encode(value) : encodeMessage(type, value);
      parts.push(varint(body.length), body);
    }
  }
  return joined(parts);
}

/** A message of the table above as an object; fields the table does not know are skipped. */
export function decodeMessage(name, bytes) {
  const fields = MESSAGES[name];
  const byNumber = new Map(Object.entries(fields).map(([field, [number, type]]) => [number, [field, type]]));
  const message = {};
  for (const [field, [, type]] of Object.entries(fields)) {
    message[field] = type.startsWith("*") ? [] : type === "bytes" ? new Uint8Array() : (EMPTY[type] ?? null);
  }
  const cursor = { at: 0, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), bytes };
  while (cursor.at < bytes.length) {
    const tag = readVarint(cursor);
    const [field, declared] = byNumber.get(Math.floor(tag / 8)) ?? [null, "bytes"];
    const raw = readRaw(cursor, tag % 8);
    if (field === null) continue;
    const type = declared.replace("*", "");
    const value = readable(type, raw);
    if (declared.startsWith("*")) message[field].push(value);
    else message[field] = value;
  }
  return message;
}

function readable(type, raw) {
  switch (type) {
    case "int": case "float": case "double": case "bytes": return raw;
    case "bool": return raw !== 0;
    case "string": return text.decode(raw);
    default: return decodeMessage(type, raw);
  }
}

function readRaw(cursor, wire) {
  const start = cursor.at;
  switch (wire) {
    case 0: return readVarint(cursor);
    case 1: cursor.at += 8; return cursor.view.getFloat64(start, true);
    case 5: cursor.at += 4; return cursor.view.getFloat32(start, true);
    case 2: {
      const length = readVarint(cursor);
      const body = cursor.bytes.subarray(cursor.at, cursor.at + length);
      if (body.length !== length) throw new RangeError("The message is cut short.");
      cursor.at += length;
      return body;
    }
    default: throw new RangeError(`Wire type ${wire} is not in use.`);
  }
}

function readVarint(cursor) {
  // Multiplication instead of shifts: positions and sequences pass 32 bits, and never 53.
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    if (cursor.at >= cursor.bytes.length) throw new RangeError("The message is cut short.");
    const byte = cursor.bytes[cursor.at++];
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}

function varint(value) {
  const bytes = [];
  while (value >= 128) {
    bytes.push((value % 128) | 128);
    value = Math.floor(value / 128);
  }
  bytes.push(value);
  return Uint8Array.from(bytes);
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
