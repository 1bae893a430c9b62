import { expect, test } from "@jest/globals";
import pino from "pino";
import { FleetError } from "../../../runtime/errors.ts";
import type { Params } from "../../../runtime/protocol/json-rpc.ts";
import { CallGate } from "../../../runtime/registry/call-gate.ts";
import type { Fleet } from "../../../runtime/registry/fleet.ts";
import type { FleetRegistry } from "../../../runtime/registry/fleet-registry.ts";
import { ToolFilter } from "../../../runtime/registry/tool-filter.ts";
import { Executor } from "../../../runtime/routing/executor.ts";
import { type Access, OpenAccess } from "../../../runtime/security/access.ts";
import { anonymousPrincipal } from "../../../runtime/security/principal.ts";

const client = { owner: "o", caller: undefined };

/** Fleets that note what they are sent. */
function executor(...names: string[]) {
  const sent: unknown[] = [];
  const lines: Params[] = [];
  const fleets = names.map((name) => {
    const tools = new ToolFilter({
      deny: ["browser_close"],
      aliases: { shut: "browser_close", go: "browser_navigate" },
    });
    const gate = new CallGate(tools, []);
    return {
      name,
      tools,
      gate,
      server: { type: "playwright", timeouts: { requestMs: 1000 } },
      call: async (_client: unknown, method: string, params: Params) => {
        gate.check(method, params);
        sent.push([method, params]);
        return { result: { content: [] } };
      },
    } as unknown as Fleet;
  });
  const registry = { get: (name: string) => fleets.find((fleet) => fleet.name === name), all: () => fleets };
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { it: new Executor(registry as unknown as FleetRegistry, log), sent, lines };
}

/** Lets use what is named, and knows the servers of which it lets use something. */
class NamedAccess extends OpenAccess {
  readonly #servers: readonly string[];
  readonly #tools: readonly string[];

  constructor(servers: readonly string[], tools: readonly string[] = []) {
    super(anonymousPrincipal);
    this.#servers = servers;
    this.#tools = tools;
  }

  override check(fleet: Fleet, method: string, params: Params | undefined): undefined {
    super.check(fleet, method, params);
    if (!this.#tools.includes(String(params?.name))) throw new FleetError("FORBIDDEN", `no ${params?.name}`);
  }

  override async call(...[fleet, owner, method, params, exchange]: Parameters<Access["call"]>) {
    this.check(fleet, method, params);
    return fleet.call(owner, method, params, exchange);
  }

  override reaches(fleet?: Fleet): boolean {
    return fleet !== undefined && this.#servers.includes(fleet.name);
  }

  override knows(fleet?: Fleet): boolean {
    return this.reaches(fleet);
  }
}

const failure = (promise: Promise<unknown>) =>
  promise.then(String, ({ code, message, data }) => ({ code, message, data }));

test("a server that is hidden looks like one that does not exist, and is in no list", async () => {
  const { it, sent } = executor("one", "two");
  const access = new NamedAccess(["one"], ["browser_navigate"]);
  const asked = (server: string) => [
    failure(it.execute(client, server, "tools/call", { name: "browser_navigate" }, {}, access)),
    failure(it.execute(client, server, "ping", undefined, {}, access)),
    failure(it.callTool(client, server, "browser_navigate", {}, access)),
  ];
  for (const server of ["two", "nope"]) {
    const outcome = {
      code: "SERVER_UNKNOWN",
      message: `no server is called "${server}"; there are: one`,
      data: { servers: ["one"] },
    };
    expect(await Promise.all(asked(server))).toEqual([outcome, outcome, outcome]);
  }
  expect(sent).toEqual([]);
});

test("each way of REST and programs to call a tool is refused where the tool is hidden, aliases too", async () => {
  const { it, sent } = executor("one");
  const hidden = { code: "INVALID_PARAMS", message: "Unknown tool: browser_close", data: undefined };
  for (const name of ["browser_close", "shut"]) {
    expect(await failure(it.execute(client, "one", "tools/call", { name, arguments: {} }))).toEqual(hidden);
    expect(await failure(it.execute(client, "one", name, {}))).toEqual(hidden);
    expect(await failure(it.callTool(client, "one", name, {}))).toEqual(hidden);
  }
  expect(await failure(it.execute(client, "one", "tools/call", { name: ["browser_close"] }))).toMatchObject({
    code: "INVALID_PARAMS",
    message: 'Invalid params: "name" must be a string',
  });
  expect(sent).toEqual([]);
  await it.execute(client, "one", "tools/call", { name: "go", arguments: { url: "a" } });
  await it.callTool(client, "one", "go", { url: "a" });
  const call = ["tools/call", { name: "browser_navigate", arguments: { url: "a" } }];
  expect(sent).toEqual([call, call]);
});

test("a method that stands for several calls is judged for all of them before the first one runs", async () => {
  const { it, sent } = executor("one");
  const half = new NamedAccess(["one"], ["browser_navigate"]);
  expect(await failure(it.execute(client, "one", "navigate-and-screenshot", { url: "a" }, {}, half))).toMatchObject({
    code: "FORBIDDEN",
    message: "no browser_take_screenshot",
  });
  expect(sent).toEqual([]);
  const whole = new NamedAccess(["one"], ["browser_navigate", "browser_take_screenshot"]);
  await it.execute(client, "one", "navigate-and-screenshot", { url: "a" }, {}, whole);
  expect(sent).toEqual([
    ["tools/call", { name: "browser_navigate", arguments: { url: "a" } }],
    ["tools/call", { name: "browser_take_screenshot", arguments: { scale: "css" } }],
  ]);
});

test("a request with megabytes of metadata writes a short line", async () => {
  const { it, lines } = executor("one");
  const metadata = { run: 7, text: "x".repeat(4_000_000) };
  await it.execute(client, "one", "browser_navigate", {}, { metadata });
  const text = `${"x".repeat(100)}…`;
  expect(lines).toEqual([
    { level: 30, server: "one", method: "browser_navigate", metadata: { run: 7, text }, msg: "request" },
  ]);
});
