// @vitest-environment node

import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { HistoryEventSchema } from "../../gen/vivavoce/history/v1/history_pb";
import { linesOf, tutorBefore } from "./lines";

const turn = (turnId: string, text: string) =>
  create(HistoryEventSchema, { event: { case: "turnTaken", value: { turnId, text } } });
const reply = (replyId: string, heardText: string, unheardText = "") =>
  create(HistoryEventSchema, { event: { case: "replyGiven", value: { replyId, heardText, unheardText } } });
const slip = (turnId: string, said: string) =>
  create(HistoryEventSchema, { event: { case: "feedbackGiven", value: { turnId, correction: { said } } } });
const flow = (turnId: string) =>
  create(HistoryEventSchema, {
    event: { case: "feedbackGiven", value: { turnId, remark: { about: { case: "fluency", value: {} } } } },
  });

test("feedback stands with its turn, wherever in the conversation it came", () => {
  const lines = linesOf([
    turn("t1", "I goed"),
    reply("r1", "You went?"),
    turn("t2", "Yes"),
    slip("t1", "goed"),
    flow("t2"),
  ]);
  expect(lines.map(({ id, corrections, remarks }) => [id, corrections.length, remarks.length])).toEqual([
    ["t1", 1, 0],
    ["r1", 0, 0],
    ["t2", 0, 1],
  ]);
});

test("a turn in which nothing was understood is no line, a reply of which nothing was heard is one", () => {
  expect(linesOf([turn("t1", ""), reply("r1", "", "I would")]).map(({ id }) => id)).toEqual(["r1"]);
});

test("a line is compared with the tutor's line before it", () => {
  const lines = linesOf([reply("r1", "Hello"), turn("t1", "Hi"), reply("r2", "Well"), turn("t2", "Well")]);
  expect(lines.map((line) => tutorBefore(lines, line)?.id)).toEqual([undefined, "r1", "r1", "r2"]);
});
