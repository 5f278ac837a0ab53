// A program written for OpenAI's service with its agents SDK that offers a function: node functions.mjs URL KEY.
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';

const [url, apiKey] = process.argv.slice(2);
const tell = (what, fields = {}) => console.log(JSON.stringify({ what, ...fields }));

const weather = tool({
  name: 'weather',
  description: 'Tells the weather of a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  execute: async ({ city }) => {
    tell('called', { city });
    return `Rain in ${city}.`;
  },
});
const transport = new OpenAIRealtimeWebSocket({ url: `${url}?model=gpt-realtime` });
const session = new RealtimeSession(new RealtimeAgent({ name: 'Tutor', tools: [weather] }), { transport });
session.on('error', ({ error }) => tell('error', { error: JSON.stringify(error) }));
const said = new Promise((resolve) => {
  transport.on('*', (event) => {
    if (event.type === 'response.output_audio_transcript.done') resolve(event.transcript);
  });
});
await session.connect({ apiKey });
session.sendMessage('Will it rain in Kyoto?');
tell('said', { text: await said });
await new Promise((resolve) => setTimeout(resolve, 100));
tell('history', { types: session.history.map((item) => item.type) });
session.close();
process.exit(0);
