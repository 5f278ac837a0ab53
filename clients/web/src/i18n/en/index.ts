// English: the catalogue that the others follow.

import { account } from "./account";
import { after } from "./after";
import { common } from "./common";
import { notebook } from "./notebook";
import { progress } from "./progress";

export const en = { ...common, ...account, ...after, ...notebook, ...progress } as const;
