import { writeFileSync } from "node:fs";

/** Writes what a benchmark measured where `--json` says, for `npm run bench:claims` and for people's own tools; nowhere without it. */
export function writeFigures(file: string | undefined, figures: object): void {
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
}
