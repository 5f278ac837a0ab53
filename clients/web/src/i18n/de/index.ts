// Deutsch.

import type { Catalogue } from "../catalogue";
import { account } from "./account";
import { after } from "./after";
import { common } from "./common";
import { notebook } from "./notebook";
import { progress } from "./progress";
import { reasons } from "./reasons";
import { settings } from "./settings";
import { talk } from "./talk";
import { welcome } from "./welcome";

export const de: Catalogue = {
  ...common,
  ...account,
  ...after,
  ...notebook,
  ...progress,
  ...reasons,
  ...settings,
  ...talk,
  ...welcome,
};
