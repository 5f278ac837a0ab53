// Why something that a person asked for did not work; nothing where it did.

import { sentenceOf } from "../api/failures";
import type { Deed } from "../app/deed";
import { Notice } from "./Notice";

export function Failure({ of }: { of: Deed }) {
  return of.error === undefined ? null : <Notice kind="bad" text={sentenceOf(of.error)} />;
}
