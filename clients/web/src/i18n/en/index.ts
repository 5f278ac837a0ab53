// English: the catalogue that the others follow.

import { common } from "./common";

export const en = { ...common } as const;
