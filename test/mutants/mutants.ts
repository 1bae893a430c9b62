import { access } from "./access.ts";
import { answers } from "./answers.ts";
import { clients } from "./clients.ts";
import { hosts } from "./hosts.ts";
import type { Mutant } from "./mutant.ts";
import { records } from "./records.ts";
import { secrets } from "./secrets.ts";
import { sessions } from "./sessions.ts";

/** Controls that no setting switches off. What a setting does switch off is tried both ways by its own test. */
export const mutants: readonly Mutant[] = [
  ...access,
  ...sessions,
  ...answers,
  ...clients,
  ...secrets,
  ...hosts,
  ...records,
];
