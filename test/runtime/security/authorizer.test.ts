import { expect, test } from "@jest/globals";
import pino from "pino";
import { Registry } from "prom-client";
import type { Authorization, Requirement } from "../../../runtime/config/schema/index.ts";
import type { FleetError } from "../../../runtime/errors.ts";
import { SecurityMetrics } from "../../../runtime/observability/security-metrics.ts";
import { parseJson } from "../../../runtime/protocol/exact-json.ts";
import type { Params } from "../../../runtime/protocol/json-rpc.ts";
import type { Fleet } from "../../../runtime/registry/fleet.ts";
import { Authorizer, type Decisions } from "../../../runtime/security/authorizer.ts";
import { type Holder, principalOf } from "../../../runtime/security/principal.ts";
import { ProtectedResource } from "../../../runtime/security/protected-resource.ts";
import type { Subject } from "../../../runtime/security/subject.ts";

const described = {
  read: { name: "read", annotations: { readOnlyHint: true, destructiveHint: false } },
  drop: { name: "drop", annotations: { destructiveHint: true } },
  plain: { name: "plain" },
};
const tools = Object.values(described);
const fleet = (name = "db") =>
  ({ name, tool: async (tool: keyof typeof described) => described[tool] }) as unknown as Fleet;

type Call = [method: string, params: Record<string, unknown>, fleet?: string, subject?: Subject];
const none = { size: 0, max: 0 };
const tool = (name: string, args: object = {}, server = "db"): Call => [
  "tools/call",
  { name, arguments: args },
  server,
];

async function authorizer(rules: Authorization["rules"], more: Partial<Authorization> = {}, requirement?: Requirement) {
  const registry = new Registry();
  const lines: Record<string, unknown>[] = [];
  const it = await Authorizer.create({
    authorization: { rules, ...more },
    requirementOf: (server) => (server === "db" ? requirement : undefined),
    resource: new ProtectedResource({ oauth: { resource: "https://gw.example.org/mcp" } }),
    metrics: new SecurityMetrics(registry, () => ({
      security: { remembered: none, waiting: none, failing: none },
      audit: undefined,
    })),
    log: pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) }),
    now: () => 0,
  });
  const caller = (holder: Omit<Holder, "name"> & { name?: string } = {}) => {
    const principal = principalOf({ name: "ann", ...holder }, "bearer");
    const decisions: Decisions = new Map();
    return {
      may: async ([method, params, server, subject]: Call) => {
        try {
          await it.check(principal, decisions, fleet(server), method, params, subject);
          return "may";
        } catch (error) {
          return (error as FleetError).code;
        }
      },
      why: async ([method, params, server]: Call) =>
        Promise.resolve()
          .then(() => it.check(principal, decisions, fleet(server), method, params))
          .then(
            () => undefined,
            ({ message, data, headers }) => ({ message, data, headers }),
          ),
      sees: (server = "db") => it.visible(principal, decisions, fleet(server), "tools", tools).map(({ name }) => name),
      reaches: (server: string) => it.reaches(principal, decisions, server),
      knows: (server: string) => it.knows(principal, decisions, server),
    };
  };
  return {
    caller,
    lines,
    metrics: async () => await registry.getSingleMetricAsString("mcp_authorization_denied_total"),
  };
}

test("what no rule allows is refused, deny wins over allow whatever the order, patterns match names", async () => {
  const { caller } = await authorizer([
    { effect: "allow", servers: ["d*"], tools: ["re*", "drop"] },
    { effect: "deny", tools: ["*op"], callers: ["a*"] },
  ]);
  const [ann, bob] = [caller(), caller({ name: "bob" })];
  expect([await ann.may(tool("read")), await ann.may(tool("drop")), await ann.may(tool("plain"))]).toEqual([
    ...["may", "FORBIDDEN", "FORBIDDEN"],
  ]);
  expect([await bob.may(tool("drop")), await bob.may(tool("read", {}, "files"))]).toEqual(["may", "FORBIDDEN"]);
  expect([ann.sees(), bob.sees(), bob.sees("files")]).toEqual([["read"], ["read", "drop"], []]);
  expect([ann.reaches("db"), ann.reaches("files")]).toEqual([true, false]);
  expect(await ann.why(tool("drop"))).toEqual({
    ...{ message: 'Forbidden: "ann" may not use "drop" of the server "db"', data: undefined, headers: undefined },
  });
});

test("roles, prompts, resources, completion; a rule about tools says nothing of the rest", async () => {
  const { caller } = await authorizer([
    { effect: "allow", roles: ["reader"], prompts: ["greet"], resources: ["file:///pub/*"] },
    { effect: "allow", roles: ["admin"] },
  ]);
  const [reader, admin, nobody] = [caller({ roles: ["reader"] }), caller({ roles: ["admin"] }), caller()];
  const calls: Call[] = [
    ["prompts/get", { name: "greet" }],
    ["resources/read", { uri: "file:///pub/a" }],
    ["resources/subscribe", { uri: "file:///pub/a" }],
    ["completion/complete", { ref: { type: "ref/prompt", name: "greet" } }],
    ["prompts/get", { name: "other" }],
    ["resources/read", { uri: "file:///etc/passwd" }],
    tool("read"),
  ];
  const all = async (who: typeof reader) => Promise.all(calls.map((call) => who.may(call)));
  expect(await all(reader)).toEqual(["may", "may", "may", "may", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN"]);
  expect(await all(admin)).toEqual(calls.map(() => "may"));
  expect(await all(nobody)).toEqual(calls.map(() => "FORBIDDEN"));
});

test("annotations, with the protocol's defaults for a tool that does not say", async () => {
  const { caller } = await authorizer([
    { effect: "allow", annotations: { readOnlyHint: true } },
    { effect: "allow", roles: ["writer"] },
    { effect: "deny", annotations: { destructiveHint: true }, callers: ["bob"] },
  ]);
  const [ann, bob] = [caller(), caller({ name: "bob", roles: ["writer"] })];
  expect(await Promise.all(tools.map(({ name }) => ann.may(tool(name))))).toEqual(["may", "FORBIDDEN", "FORBIDDEN"]);
  expect(await Promise.all(tools.map(({ name }) => bob.may(tool(name))))).toEqual(["may", "FORBIDDEN", "FORBIDDEN"]);
  expect([ann.sees(), bob.sees()]).toEqual([["read"], ["read"]]);
});

test("expressions over caller, tool and arguments; what cannot be evaluated denies and allows nothing", async () => {
  const { caller } = await authorizer([
    { effect: "allow", tools: ["pay"], when: 'args.amount <= 100 || "boss" in caller.roles' },
    { effect: "allow", tools: ["drop"] },
    { effect: "deny", tools: ["drop"], when: 'args.table.startsWith("prod")' },
  ]);
  const [ann, boss] = [caller(), caller({ roles: ["boss"] })];
  const outcomes = [
    [ann, tool("pay", { amount: 100 }), "may"],
    [ann, tool("pay", { amount: 101 }), "FORBIDDEN"],
    [ann, tool("pay", {}), "FORBIDDEN"],
    [boss, tool("pay", { amount: 1e9 }), "may"],
    [ann, tool("drop", { table: "test" }), "may"],
    [ann, tool("drop", { table: "production" }), "FORBIDDEN"],
    [ann, tool("drop", {}), "FORBIDDEN"],
  ] as const;
  for (const [who, call, expected] of outcomes) expect([call, await who.may(call)]).toEqual([call, expected]);
  expect(ann.sees()).toEqual(["drop"]);
});

test("a token without the scopes of the rule that would allow is told which ones to ask for", async () => {
  const { caller } = await authorizer([{ effect: "allow", tools: ["drop"], scopes: ["db:write"] }]);
  expect(await caller({ scopes: ["db:write"] }).may(tool("drop"))).toBe("may");
  expect(await caller().why(tool("drop"))).toEqual({
    message: 'Forbidden: "drop" of the server "db" needs the scopes db:write; ask for them',
    data: { requiredScopes: ["db:write"] },
    headers: {
      "www-authenticate":
        'Bearer error="insufficient_scope", resource_metadata="https://gw.example.org/.well-known/oauth-protected-resource/mcp", scope="db:write"',
    },
  });
});

test("a dry run refuses nothing, and logs and counts what would be; what a server requires stays in force", async () => {
  const { caller, lines, metrics } = await authorizer(
    [{ effect: "deny", tools: ["drop"] }],
    { mode: "dry-run", default: "allow" },
    { roles: ["staff"] },
  );
  expect(await caller({ roles: ["staff"] }).may(tool("drop"))).toBe("may");
  expect(await caller().may(tool("read"))).toBe("FORBIDDEN");
  expect([caller({ roles: ["staff"] }).sees().length, caller().sees()]).toEqual([3, []]);
  expect(lines.map(({ caller: who, tools: name, reason, msg }) => [who, name, reason, msg])).toEqual([
    ["ann", "drop", "rule", "authorization (dry run): would be refused"],
    ["ann", "read", "requirement", "authorization: refused"],
  ]);
  expect(await metrics()).toContain('mcp_authorization_denied_total{server="db",reason="dry_run"}');
});

test("a name that a caller made up to be long does not stay in memory, and costs no time", async () => {
  const { caller } = await authorizer([{ effect: "allow", tools: ["a*a*a*a*a*b"] }]);
  expect(await caller().may(tool("a".repeat(1_000_000)))).toBe("FORBIDDEN");
});

test.each([
  ["1 +", 'gateway.authorization.rules[0].when: is "1 +", which is no condition: Unexpected token: EOF'],
  [
    "nobody == 1",
    'gateway.authorization.rules[0].when: is "nobody == 1", which is no condition: Unknown variable: nobody',
  ],
  ["server", 'gateway.authorization.rules[0].when: is "server", which is no condition: it is of type string, not bool'],
])("the expression %j is refused at the start", async (when, problem) => {
  const fix = 'write it in CEL over caller, server, method, tool, name and args, like `"admin" in caller.roles`';
  await expect(authorizer([{ effect: "allow", when }])).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: `${problem}; ${fix}`,
  });
});

test("rules by URI compare normal forms, of the pattern too, and refuse what has several", async () => {
  const read = (uri: string): Call => ["resources/read", { uri }];
  const denied = (await authorizer([{ effect: "deny", resources: ["X://h/pri%76/*"] }], { default: "allow" })).caller();
  for (const uri of ["x://h/priv/b", "X://H/priv/b", "x://h/pri%76/b", "x://h/pub/../priv/b", "x://h/%2e/priv/b"])
    expect([uri, await denied.may(read(uri))]).toEqual([uri, "FORBIDDEN"]);
  for (const uri of ["x://h/pub/a", "x://h/privy/a"]) expect([uri, await denied.may(read(uri))]).toEqual([uri, "may"]);
  for (const uri of ["x://h/pub/..%2Fpriv/b", "x://h/../priv/b", "x:\\\\h\\priv\\b", "h/priv/b", "x://h/pub/a#b"])
    expect([uri, await denied.may(read(uri))]).toEqual([uri, "INVALID_PARAMS"]);
  expect(await denied.why(read("x://h/pub/..%2Fpriv/b"))).toMatchObject({
    message: "Invalid params: the URI has dot segments beside an encoded slash",
  });
  const allowed = (await authorizer([{ effect: "allow", resources: ["x://h/pub/*"] }])).caller();
  expect(await allowed.may(read("x://H/pub/a"))).toBe("may");
  expect(await allowed.may(read("x://h/pub/../priv/b"))).toBe("FORBIDDEN");
  expect(await allowed.may(read("x://h/pub/..%2Fpriv/b"))).toBe("INVALID_PARAMS");
  // Without a rule by URI nothing is compared.
  const open = (await authorizer([{ effect: "allow", servers: ["db"] }])).caller();
  expect(await open.may(read("h/priv/b"))).toBe("may");
});

test("methods that are no part of MCP are judged by rules that name them, or that name nothing", async () => {
  const search: Call = ["acme/search", {}];
  const may = async (...rules: Authorization["rules"]) => (await authorizer(rules)).caller().may(search);
  expect(await may({ effect: "allow", tools: ["*"], prompts: ["*"], resources: ["*"] })).toBe("FORBIDDEN");
  expect(await may({ effect: "allow", methods: ["acme/*"] })).toBe("may");
  expect(await may({ effect: "allow" })).toBe("may");
  expect(await may({ effect: "allow" }, { effect: "deny", methods: ["acme/search"] })).toBe("FORBIDDEN");
  expect(await may({ effect: "allow" }, { effect: "deny", methods: ["acme/other"], tools: ["*"] })).toBe("may");
});

test("a task is judged by its tool; conditions over arguments were asked when it was made", async () => {
  const { caller } = await authorizer([
    { effect: "allow", tools: ["pay"], when: "args.amount <= 100" },
    { effect: "allow", tools: ["drop"] },
    { effect: "deny", tools: ["drop"], when: 'args.table.startsWith("prod")' },
    { effect: "deny", tools: ["wipe"] },
  ]);
  const may = (name: string) => {
    const subject = { kind: "tools" as const, name, ofTask: true };
    return caller().may(["tasks/get", { taskId: "t" }, "db", subject]);
  };
  expect([await may("pay"), await may("drop"), await may("wipe"), await may("plain")]).toEqual([
    ...["may", "may", "FORBIDDEN", "FORBIDDEN"],
  ]);
});

test("a server of which a caller may use nothing is not known to it, unless more scopes would open it", async () => {
  const { caller, metrics, lines } = await authorizer([
    { effect: "allow", servers: ["db"], tools: ["read"] },
    { effect: "allow", servers: ["files"], scopes: ["files:read"] },
  ]);
  const ann = caller();
  expect([ann.knows("db"), ann.knows("files"), ann.knows("other")]).toEqual([true, true, false]);
  // Somebody who looks around is seen.
  expect(await metrics()).toContain('mcp_authorization_denied_total{server="other",reason="default"} 1');
  expect(lines).toMatchObject([{ caller: "ann", server: "other", reason: "default", msg: "authorization: refused" }]);
});

test("a rule sees all digits of a whole number, as the server does, and 1.0 as 1", async () => {
  const { caller } = await authorizer([
    { effect: "allow", tools: ["pay"] },
    { effect: "deny", tools: ["pay"], when: "args.to == 9007199254740993 || args.to == 1" },
  ]);
  const pay = (args: string) => caller().may(tool("pay", parseJson(args) as object));
  expect(await pay('{"to":9007199254740993}')).toBe("FORBIDDEN");
  expect(await pay('{"to":9007199254740992}')).toBe("may");
  expect(await pay('{"to":9007199254740995}')).toBe("may");
  expect(await pay('{"to":1.0}')).toBe("FORBIDDEN");
});

test("a number is no arguments", async () => {
  const { caller } = await authorizer([{ effect: "allow", tools: ["pay"] }]);
  await expect(caller().may(["tools/call", parseJson('{"name":"pay","arguments":1.0}') as Params])).resolves.toBe(
    "INVALID_PARAMS",
  );
});
