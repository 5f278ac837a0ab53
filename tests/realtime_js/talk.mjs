// A program written for OpenAI's service with its agents SDK: talks, interrupts, and connects again after a cut.
// node talk.mjs URL KEY LINE.pcm INTERRUPTION.pcm LAST.pcm; says what happens in lines of JSON, waits for lines to go on.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from '@openai/agents-realtime';

const FRAME_BYTES = 960;
const [url, apiKey, ...recordings] = process.argv.slice(2);
const [line, interruption, last] = recordings.map((path) => readFileSync(path));
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const tell = (what, fields = {}) => console.log(JSON.stringify({ what, ...fields }));

let pending = Buffer.alloc(0);
let resume = '';
let after = '';

function connected(query) {
  const transport = new OpenAIRealtimeWebSocket({ url: `${url}?model=gpt-realtime${query}` });
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Tutor', instructions: 'Be kind.' }), { transport });
  const seen = [];
  let changed = () => {};
  transport.on('*', (event) => {
    after = event.event_id;
    if (event.resume) resume = event.resume;
    seen.push(event);
    changed();
  });
  session.on('audio_interrupted', () => tell('interrupted'));
  session.on('error', ({ error }) => tell('error', { error: JSON.stringify(error) }));
  const until = async (type, from = 0) => {
    const gives_up_at = Date.now() + 30_000;
    while (Date.now() < gives_up_at) {
      const found = seen.slice(from).find((event) => event.type === type);
      if (found) return found;
      await new Promise((resolve) => {
        changed = resolve;
        setTimeout(resolve, 200);
      });
    }
    throw new Error(`no ${type} came`);
  };
  return { transport, session, seen, until };
}

const heard = 'conversation.item.input_audio_transcription.completed';
let talk = connected('&scenario=cafe');
const beganAt = Date.now();
let frames = 0;
const microphone = setInterval(() => {
  for (; frames < (Date.now() - beganAt) / 20; frames++) {
    const frame = Buffer.alloc(FRAME_BYTES);
    pending.copy(frame, 0, 0, FRAME_BYTES);
    pending = pending.subarray(FRAME_BYTES);
    if (talk.transport.status === 'connected') talk.session.sendAudio(new Uint8Array(frame).buffer);
  }
}, 20);

await talk.session.connect({ apiKey });
pending = line;
tell('heard', { text: (await talk.until(heard)).transcript });
// Over the tutor: this SDK falls silent for a learner as long as more sound is to come.
await talk.until('response.output_audio.delta');
let from = talk.seen.length;
pending = interruption;
tell('heard', { text: (await talk.until(heard, from)).transcript });
await talk.until('response.done', talk.seen.findLastIndex((event) => event.type === 'response.created'));
// What the SDK itself made of it: it asks for each item again after a truncation or a transcript.
await new Promise((resolve) => setTimeout(resolve, 300));
tell('history', {
  items: talk.session.history
    .filter((item) => item.type === 'message')
    .map((item) => [item.role, item.content.map((part) => part.transcript ?? part.text ?? '').join('')]),
});

tell('cut me');
await input.next();
talk.session.close();
talk = connected(`&resume=${resume}&after=${after}`);
await talk.session.connect({ apiKey });
tell('back', { resumed: (await talk.until('tutor.session_started')).resumed ?? false });
from = talk.seen.length;
pending = last;
tell('heard', { text: (await talk.until(heard, from)).transcript });
await talk.until('response.done', from);
clearInterval(microphone);
talk.session.close();
tell('done');
process.exit(0);
