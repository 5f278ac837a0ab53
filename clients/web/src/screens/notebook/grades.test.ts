// @vitest-environment node

import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ReviewItemKind, ReviewItemSchema } from "../../gen/vivavoce/history/v1/history_pb";
import { askedWith, rightOf } from "./grades";

const item = (kind: ReviewItemKind, front: string, back: string) => create(ReviewItemSchema, { kind, front, back });

test("a slip is asked with what was said, and answered by the right form without its reason", () => {
  const slip = item(ReviewItemKind.SLIP, "goed", "went — Irregular.");
  expect(askedWith(slip)).toBe("goed");
  expect(rightOf(slip)).toBe("went");
});

test("a word is asked with its sentence, which does not give it away", () => {
  const word = item(ReviewItemKind.WORD, "tea", "Tea? The tea, or the teapot.");
  expect(askedWith(word)).toBe("____? The ____, or the teapot.");
  expect(rightOf(word)).toBe("tea");
});

test("a word without a meaning is asked as it is", () => {
  expect(askedWith(item(ReviewItemKind.WORD, "c++", ""))).toBe("c++");
});
