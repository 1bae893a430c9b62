import { parseArgs } from "node:util";
import { lostSessions } from "./failover/lost-sessions.ts";
import { oneHanging } from "./failover/one-hanging.ts";
import { threeInstances } from "./failover/three-instances.ts";
import { workersKilled } from "./failover/workers-killed.ts";
import { writeFigures } from "./figures-file.ts";

// `npm run bench:failover`: what callers notice while instances are killed, stopped and slowed down, and while workers are killed;
// what old sessions notice of a restart; and what nineteen servers notice of a hanging twentieth. Processes of their own, 127.0.0.1,
// about two minutes; `--only restart` tells one of the stories.
const { values } = parseArgs({
  options: { only: { type: "string" }, rounds: { type: "string", default: "25" }, json: { type: "string" } },
});

const stories = {
  failover: threeInstances,
  workersKilled,
  restart: lostSessions,
  oneDead: () => oneHanging(Number(values.rounds)),
};

/** What `--json` holds: each story that was told. */
export type FailoverFigures = {
  readonly [Story in keyof typeof stories]?: Awaited<ReturnType<(typeof stories)[Story]>>;
};

const names = values.only?.split(",") ?? Object.keys(stories);
const told: Record<string, unknown> = {};
for (const name of names) {
  const story = stories[name as keyof typeof stories];
  if (story === undefined) throw new Error(`--only: "${name}" is none of ${Object.keys(stories).join(", ")}`);
  told[name] = await story();
  console.log(JSON.stringify({ [name]: told[name] }, null, 1));
}
writeFigures(values.json, told);
