import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ConverseResponseSchema } from "../gen/vivavoce/conversation/v1/conversation_service_pb";
import { ReplyOutcome } from "../gen/vivavoce/conversation/v1/converse_pb";
import { after, type Happening, NO_TALK, type Talk } from "./talk";

type Told = NonNullable<MessageInitShape<typeof ConverseResponseSchema>["event"]>;

/** The talk after the server told these. */
function told(talk: Talk, ...events: (Told | Happening)[]): Talk {
  return events.reduce<Talk>((before, event) => {
    const own = ["wireCut", "ended", "troubleRead", "repeatAsked"].includes(event.case ?? "");
    const happening = own ? (event as Happening) : create(ConverseResponseSchema, { event: event as Told }).event;
    return after(before, happening);
  }, talk);
}

const started = (sessionId = "ses_1"): Told => ({
  case: "sessionStarted",
  value: { sessionId, conversation: { conversationId: "cnv_1" }, engineLabels: ["A scripted tutor."] },
});
const reply = (replyId: string, text: string): Told[] => [
  { case: "replyStarted", value: { replyId } },
  { case: "replyText", value: { replyId, text } },
];

test("a turn is shown while it is spoken, and for good when it is stored", () => {
  const speaking = told(
    NO_TALK,
    started(),
    { case: "speechStarted", value: { turnId: "trn_1", revision: 1, atSample: 480n } },
    { case: "transcriptRevised", value: { turnId: "trn_1", revision: 1, text: "A large" } },
  );
  expect(speaking.floor).toBe("learner");
  expect(speaking.lines).toMatchObject([{ id: "trn_1", text: "A large", final: false }]);
  const stored = told(speaking, {
    case: "turnCommitted",
    value: { turnId: "trn_1", revision: 1, text: "A large tea." },
  });
  expect(stored.lines).toMatchObject([{ id: "trn_1", text: "A large tea.", final: true, fromSample: 480 }]);
  expect(stored.floor).toBe("thinking");
});

test("a turn that goes on after a pause keeps its beginning, and what was understood before is replaced", () => {
  const talk = told(
    NO_TALK,
    { case: "speechStarted", value: { turnId: "trn_1", revision: 1, atSample: 480n } },
    { case: "speechEnded", value: { turnId: "trn_1", revision: 1, atSample: 900n } },
    { case: "speechStarted", value: { turnId: "trn_1", revision: 2, atSample: 1500n } },
    { case: "transcriptRevised", value: { turnId: "trn_1", revision: 2, text: "A large tea" } },
    { case: "transcriptRevised", value: { turnId: "trn_1", revision: 1, text: "A lard" } },
    { case: "speechEnded", value: { turnId: "trn_1", revision: 2, atSample: 2000n } },
  );
  expect(talk.lines).toMatchObject([{ text: "A large tea", fromSample: 480, toSample: 2000 }]);
});

test("what was not heard of an interrupted reply is known", () => {
  const talk = told(NO_TALK, ...reply("rep_1", "That is a long story."), {
    case: "replyFinished",
    value: { replyId: "rep_1", outcome: ReplyOutcome.INTERRUPTED, heardText: "That is" },
  });
  expect(talk.lines).toMatchObject([{ text: "That is a long story.", heard: "That is" }]);
  expect(talk.floor).toBe("open");
});

test("whose move it is depends on the newest reply, not on the end of one before it", () => {
  const ended: Told = { case: "replyFinished", value: { replyId: "rep_1", outcome: ReplyOutcome.HEARD } };
  const talk = told(NO_TALK, ...reply("rep_1", "Good morning."), ...reply("rep_2", "What would you like?"), ended);
  expect(talk).toMatchObject({ floor: "tutor", lines: [{ heard: "Good morning." }, { heard: null }] });
});

test("words that come again after a resume are there once", () => {
  const word = (text: string, startSample: bigint) => ({ text, startSample, endSample: startSample + 10n });
  const talk = told(
    NO_TALK,
    ...reply("rep_1", "Good morning"),
    { case: "replyAudio", value: { replyId: "rep_1", words: [word("Good", 0n), word("morning", 20n)] } },
    { case: "replyAudio", value: { replyId: "rep_1", words: [word("morning", 20n)] } },
  );
  expect(talk.lines).toMatchObject([{ words: [{ text: "Good" }, { text: "morning" }] }]);
});

test("a line said again is the same line, and its own words are kept", () => {
  const word = { text: "Good", startSample: 0n, endSample: 10n };
  const talk = told(
    NO_TALK,
    ...reply("rep_1", "Good morning"),
    { case: "replyAudio", value: { replyId: "rep_1", words: [word] } },
    { case: "repeatAsked", replyId: "rep_1" },
    ...reply("rep_2", "Good morning"),
    { case: "replyAudio", value: { replyId: "rep_2", words: [{ ...word, endSample: 20n }] } },
    { case: "replyFinished", value: { replyId: "rep_2", outcome: ReplyOutcome.INTERRUPTED, heardText: "Good" } },
  );
  expect(talk.lines).toMatchObject([
    { id: "rep_1", text: "Good morning", heard: null, words: [{ endSample: 10n }], again: { id: "rep_2" } },
  ]);
});

test("what was said before a cut is still there after it, in another session too", () => {
  const talk = told(NO_TALK, started(), ...reply("rep_1", "Good morning"), { case: "wireCut" }, started("ses_2"));
  expect(talk).toMatchObject({ phase: "talking", sessionId: "ses_2", lines: [{ text: "Good morning" }] });
});

test("trouble is shown until it was read, and the talk goes on", () => {
  const talk = told(NO_TALK, started(), { case: "errorRaised", value: { failure: { message: "The tutor coughed." } } });
  expect(talk).toMatchObject({ phase: "talking", trouble: { message: "The tutor coughed." } });
  expect(told(talk, { case: "troubleRead" }).trouble).toBeNull();
});
