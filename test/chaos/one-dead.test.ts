import { afterEach, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { FaultInstance } from "../support/fault-instance.ts";
import { TestGateway } from "../support/gateway.ts";
import { PlainClient } from "../support/steady-load.ts";

const servers = 20;
let gateway: TestGateway;
let instances: FaultInstance[] = [];
afterEach(async () => {
  await gateway.close();
  await Promise.all(instances.map((instance) => instance.kill()));
});

/** Twenty servers: nineteen at paths of one process, the last one in a process of its own. */
async function start(): Promise<{ client: PlainClient; dead: FaultInstance; names: string[] }> {
  const [many, dead] = await Promise.all([FaultInstance.start(), FaultInstance.start()]);
  instances = [many, dead];
  const names = Array.from({ length: servers }, (_, index) => `s${String(index + 1).padStart(2, "0")}`);
  const entry = (name: string, index: number): [string, Server] => {
    const url = index === servers - 1 ? dead.url : `${many.url}/${name}`;
    return [name, { type: "custom", isolation: "shared", endpoints: [url], timeouts: { requestMs: 3000 } }];
  };
  gateway = await TestGateway.start({ servers: Object.fromEntries(names.map(entry)) });
  return { client: await PlainClient.open(`${gateway.url}/mcp`), dead, names };
}
const toolsOf = (names: readonly string[]) => names.flatMap((name) => [`${name}__read`, `${name}__write`]);

test("a server that is gone is missing from the list, and nobody waits for it", async () => {
  const { client, dead, names } = await start();
  expect(await client.tools()).toEqual(toolsOf(names));
  await dead.kill();
  const living = names.slice(0, -1);
  const answers = await Promise.all(living.map((name, n) => client.call(`${name}__write`, { n })));
  expect(answers.map(({ n }) => n)).toEqual(living.map((_, n) => n));
  // Its tools are known from before, until it has been away for long; calling one says what is wrong.
  expect(await client.tools()).toEqual(toolsOf(names));
  await expect(client.call("s20__write")).rejects.toThrow(`127.0.0.1:${dead.port}`);
});

test("a server that never answers is left out of the list; only the first list waits for it", async () => {
  const { dead, names } = await start();
  await gateway.close();
  dead.signal("SIGSTOP");
  const living = toolsOf(names.slice(0, -1));
  const entries = names.map((name, index): [string, Server] => {
    const url = index === servers - 1 ? dead.url : `${(instances[0] as FaultInstance).url}/${name}`;
    return [name, { type: "custom", isolation: "shared", endpoints: [url], timeouts: { connectMs: 60_000 } }];
  });
  gateway = await TestGateway.start({ servers: Object.fromEntries(entries) });
  const client = await PlainClient.open(`${gateway.url}/mcp`);
  const first = client.tools();
  // Calls to the others do not wait for the list.
  expect((await client.call("s01__read", { n: 1 })).n).toBe(1);
  expect(await first).toEqual(living);
  const status = () => gateway.gateway.status().servers.at(-1);
  expect(status()).toMatchObject({ name: "s20", health: "starting" });
  for (let list = 0; list < 5; list += 1) expect(await client.tools()).toEqual(living);
  // It was not waited for again: by now it would have been given up.
  expect(status()).toMatchObject({ name: "s20", health: "starting" });
  dead.signal("SIGCONT");
});
