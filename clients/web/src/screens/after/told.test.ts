import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import { Advice, PraiseTopic, type Report, ReportSchema } from "../../gen/vivavoce/history/v1/history_pb";
import { formatIn } from "../../i18n/format";
import { chooseLanguage, type Language, say } from "../../i18n/text";
import { nextStepOf, praiseOf } from "./told";

type Facts = Pick<MessageInitShape<typeof ReportSchema>, "praiseFacts" | "nextStepFacts">;
const report = (facts: Facts): Report =>
  create(ReportSchema, { praise: "Well said.", nextStep: "Say more.", ...facts });

afterEach(() => chooseLanguage("en"));

test.each<[Language, string, string]>([
  ["en", "You spoke faster than before: 61 words a minute, where it used to be 50.", "Use “I went” once in your"],
  ["de", "Du hast schneller gesprochen als bisher: 61 Wörter pro Minute, vorher 50.", "Benutze „I went“ einmal im"],
  ["es", "Hablaste más rápido que antes: 61 palabras por minuto; antes eran 50.", "Usa «I went» una vez en tu"],
])("a report praises and advises in %s", async (language, praise, step) => {
  await chooseLanguage(language);
  const written = report({
    praiseFacts: { topic: PraiseTopic.PACE, now: 60.7, before: 50.2 },
    nextStepFacts: { advice: Advice.USE, phrase: "I went" },
  });
  expect(praiseOf(written, say, formatIn(language))).toBe(praise);
  expect(nextStepOf(written, say)).toContain(step);
});

test("whatever the contract knows is said in words of these pages, with no gap left open", () => {
  const numbers = { turnCount: 1, distinctWords: 1, newWords: 3, now: 1200, before: 1300 };
  const known = (values: object) => Object.values(values).filter((each) => typeof each === "number" && each !== 0);
  const praises = known(PraiseTopic).map((topic) =>
    praiseOf(report({ praiseFacts: { ...numbers, topic } }), say, formatIn("en")),
  );
  const steps = known(Advice).map((advice) => nextStepOf(report({ nextStepFacts: { advice, phrase: "I went" } }), say));
  for (const said of [...praises, ...steps]) expect(said).not.toMatch(/Well said|Say more[.]|[{}]/);
  expect(new Set(praises).size).toBe(known(PraiseTopic).length);
  expect(new Set(steps).size).toBe(known(Advice).length);
});

test("what a language model wrote, or a newer server knows, is told as it was written", () => {
  for (const written of [
    report({}),
    report({ praiseFacts: { topic: 99 as PraiseTopic }, nextStepFacts: { advice: 99 as Advice } }),
    report({ praiseFacts: {}, nextStepFacts: {} }),
  ]) {
    expect(praiseOf(written, say, formatIn("en"))).toBe("Well said.");
    expect(nextStepOf(written, say)).toBe("Say more.");
  }
});
