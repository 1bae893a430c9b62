import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "@jest/globals";
import { treeOf, usageOf } from "../../../runtime/bench/process-tree.ts";

test("the usage is that of a process and all below it", async () => {
  const inner =
    "process.stdout.write('up'); for (const end = Date.now() + 100; Date.now() < end; ); setInterval(() => {}, 1000)";
  const outer = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(inner)}], { stdio: "inherit" }); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ["-e", outer], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  await once(child.stdout, "data");
  const pid = child.pid as number;
  const tree = treeOf([pid]);
  expect([tree.length, tree[0]]).toEqual([2, pid]);
  const [whole, parts] = [usageOf([pid]), tree.map((one) => usageOf([one]))];
  // The usage of one that has children includes theirs.
  expect(whole.rssKb).toBeGreaterThan((parts[1] as { rssKb: number }).rssKb);
  expect(whole.cpuUs).toBeGreaterThan(0);
  process.kill(-pid, "SIGKILL");
  await once(child, "exit");
  expect(usageOf([pid])).toEqual({ cpuUs: 0, rssKb: 0 });
});
