import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Limits } from "../../runtime/config/schema/index.ts";
import { say, TestGateway } from "../support/gateway.ts";

let folder: string;
let it: TestGateway;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "limits-test-"));
});
afterEach(async () => {
  await it.close();
  await rm(folder, { recursive: true, force: true });
});

/** A session with a server that takes what it is told to take. */
const start = async (limits?: Limits) => {
  const args = [join(import.meta.dirname, "../fixtures/greedy-server.mjs")];
  it = await TestGateway.start({
    gateway: { log: { level: "warn", file: join(folder, "log") } },
    servers: {
      greedy: {
        ...{ type: "custom", process: { command: process.execPath, args }, isolation: "shared" },
        ...{ timeouts: { requestMs: 40_000 }, ...(limits === undefined ? {} : { limits }) },
      },
    },
  });
  return it.connect("/mcp/greedy");
};
const metric = async (name: string) =>
  (await (await fetch(`${it.url}/metrics`)).text()).split("\n").filter((line) => line.startsWith(`${name}{`));

test.each<[keyof Limits, Limits, string, object, RegExp]>([
  [
    "memoryMiB",
    { memoryMiB: 300 },
    "memory",
    { mib: 500 },
    /it used \d{3} MiB of memory, more than limits\.memoryMiB \(300\)/,
  ],
  ["processes", { processes: 3 }, "processes", { count: 4 }, /it used \d processes, more than limits\.processes \(3\)/],
  ["cpuSeconds", { cpuSeconds: 2 }, "spin", {}, /it used \d+ seconds of CPU time, more than limits\.cpuSeconds \(2\)/],
])(
  "%s: an instance over it is ended, its caller hears why, and the next call is served by a new one",
  async (limit, limits, tool, args, text) => {
    const client = await start(limits);
    const error = await client.callTool({ name: tool, arguments: { ...args } }).catch((failed) => failed);
    expect(error.data).toEqual({ code: "INSTANCE_OVER_LIMIT" });
    expect(error.message).toMatch(text);
    expect(await say(client, "count")).toBe(0);
    expect(await metric("mcp_instance_over_limit_total")).toEqual([
      `mcp_instance_over_limit_total{server="greedy",limit="${limit}"} 1`,
    ]);
    const [line] = (await readFile(join(folder, "log"), "utf8"))
      .split("\n")
      .filter((one) => one.includes("over its limits"))
      .map((one) => JSON.parse(one));
    expect(line).toMatchObject({ fleet: "greedy", limit, max: limits[limit] });
    expect(line.used).toBeGreaterThan(line.max);
  },
);

test("within its limits a server is left alone; how near it comes is a metric", async () => {
  const client = await start({ memoryMiB: 4000, processes: 20 });
  expect(await say(client, "count")).toBe(0);
  let share = 0;
  for (let round = 0; round < 100 && share === 0; round += 1) {
    share = Number((await metric("mcp_instance_limit_utilization"))[0]?.split(" ")[1]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(share).toBeGreaterThan(0.01);
  expect(share).toBeLessThan(0.9);
});

test("openFiles: the kernel refuses more of them", async () => {
  const client = await start({ openFiles: 100 });
  expect(await say(client, "files", { count: 200 })).toBe("EMFILE");
});

test("without limits a server takes what it wants", async () => {
  const client = await start();
  expect(await say(client, "files", { count: 200 })).toBe("done");
  expect(await say(client, "memory", { mib: 500, ms: 1500 })).toBe(500);
  expect(await metric("mcp_instance_limit_utilization")).toEqual([]);
});
