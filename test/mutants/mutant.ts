import type { Need } from "../support/present.ts";

/** One control taken out of the code, and the tests that must notice. */
export interface Mutant {
  /** What is taken out, as SECURITY.md names it. */
  readonly name: string;
  readonly file: string;
  /** A text that is there exactly once, and what stands there instead. */
  readonly from: string;
  readonly to: string;
  /** Tests that fail then: a path, and part of each one's name. */
  readonly path: string;
  readonly tests: string;
  /** What the machine must have for these tests. Defaults to nothing. */
  readonly needs?: Need;
}
