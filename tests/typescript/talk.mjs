// A program with a microphone and a sound card, on the TypeScript client: talks, interrupts, and is cut off meanwhile.
// node talk.mjs ADDRESS ORDER.pcm INTERRUPTION.pcm AGAIN.pcm LAST.pcm; says what came of it in lines of JSON.
import { readFileSync } from "node:fs";
import { samplesOf, Vivavoce } from "../../clients/typescript/dist/index.js";
import { ReplyOutcome } from "../../clients/typescript/dist/gen/vivavoce/conversation/v1/converse_pb.js";

const FRAME = 320;
const [address, ...recordings] = process.argv.slice(2);
const [order, interruption, again, last] = recordings.map((path) => samplesOf(readFileSync(path)));
const tell = (what, fields = {}) => console.log(JSON.stringify({ what, ...fields }));

const client = await Vivavoce.connect(address);
const conversation = await client.converse({ scenarioId: "cafe" });
const events = [];
let changed = () => {};
const listening = (async () => {
  for await (const event of conversation) {
    events.push(event);
    changed();
  }
})();

let pending = new Int16Array();
let sounded = 0;
const soundCard = (async () => {
  for await (const frame of conversation.loudspeaker.frames()) {
    if (events.at(-1)?.case === "sessionEnded") return;
    sounded += frame.filter((sample) => sample !== 0).length;
    const spoken = new Int16Array(FRAME);
    spoken.set(pending.subarray(0, FRAME));
    pending = pending.subarray(FRAME);
    await conversation.say(spoken).catch(() => {});
  }
})();

async function until(name, after = 0) {
  for (const givesUpAt = Date.now() + 40_000; Date.now() < givesUpAt; ) {
    const found = events.slice(after).find((event) => event.case === name);
    if (found) return found.value;
    await new Promise((resolve) => {
      changed = resolve;
      setTimeout(resolve, 200);
    });
  }
  throw new Error(`no ${name} came: ${events.map((event) => event.case)}`);
}

tell("opener", { text: (await until("replyFinished")).heardText });
pending = order;
tell("heard", { text: (await until("turnCommitted")).text });
let seen, cutOff;
do {
  // On a busy machine the tutor may be done before it is known that this was an interruption: then it is the next reply's.
  seen = events.length;
  await until("replyAudio", seen);
  pending = interruption;
  cutOff = await until("replyFinished", seen);
} while (cutOff.outcome !== ReplyOutcome.INTERRUPTED);
tell("interrupted", {
  outcome: ReplyOutcome[cutOff.outcome],
  partly: cutOff.heardSamples < cutOff.totalSamples,
});
tell("heard", { text: (await until("turnCommitted", seen)).text });
while (!conversation.started.resumed) {
  await until("replyFinished", events.length);
  pending = again;
}
seen = events.length;
tell("resumed", { away: conversation.away });
pending = last;
tell("heard", { text: (await until("turnCommitted", seen)).text });
await conversation.end();
tell("ended", { failed: (await until("sessionEnded")).failure !== undefined, sounded });
await Promise.all([listening, soundCard]);
client.close();
