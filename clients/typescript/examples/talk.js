// Says a recording to the tutor and writes what the tutor answers into another.
// node examples/talk.js 127.0.0.1:50051 question.wav reply.wav [scenario]; recordings are mono, 16 bits, 16 kHz.

import { readFileSync, writeFileSync } from "node:fs";
import { bytesOf, recorded, samplesOf, Vivavoce } from "vivavoce";

const [address = "127.0.0.1:50051", question = "question.wav", reply = "reply.wav", scenarioId = ""] =
  process.argv.slice(2);
const HEADER = 44;
const FRAME = 320;
const OUTPUT_HZ = 24_000;

const client = await Vivavoce.connect(address);
const conversation = await client.converse({ scenarioId });

/** What the tutor said since the learner spoke. @type {Int16Array[]} */
const answer = [];
let answering = false;
let over = false;

/** The loudspeaker: what sounds is kept. */
async function listen() {
  for await (const frame of conversation.loudspeaker.frames()) {
    if (over) return;
    if (answering) answer.push(frame);
  }
}

/** The microphone: the recording, and silence around it. @param {Promise<unknown>} opened */
async function* microphone(opened) {
  let waiting = true;
  void opened.then(() => (waiting = false));
  while (waiting) yield* recorded(new Int16Array(FRAME));
  yield* recorded(samplesOf(readFileSync(question).subarray(HEADER)));
  while (!over) yield* recorded(new Int16Array(FRAME));
}

/** @type {() => void} */
let opened = () => {};
const speaking = conversation.sayAll(microphone(new Promise((resolve) => (opened = () => resolve(null)))));
const listening = listen();

for await (const event of conversation) {
  if (event.case === "turnCommitted") {
    console.log("You:  ", event.value.text);
    answering = true;
  }
  if (event.case !== "replyFinished") continue;
  console.log("Tutor:", event.value.heardText);
  opened();
  if (answering) await conversation.end();
}
over = true;
await Promise.all([speaking, listening]);
client.close();
writeFileSync(reply, Buffer.concat([header(answer.length * (OUTPUT_HZ / 50) * 2), ...answer.map(bytesOf)]));

/** The header of a WAV file with so many bytes of sound. @param {number} bytes */
function header(bytes) {
  const head = Buffer.alloc(HEADER);
  head.write("RIFF", 0);
  head.writeUInt32LE(HEADER - 8 + bytes, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(OUTPUT_HZ, 24);
  head.writeUInt32LE(OUTPUT_HZ * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(bytes, 40);
  return head;
}
