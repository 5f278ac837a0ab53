// English: the catalogue that the others follow.

import { account } from "./account";
import { common } from "./common";

export const en = { ...common, ...account } as const;
