import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { loadConfig, readConfig } from "../../../runtime/config/index.ts";
import { issueText, type Server, validateConfig, validateServer } from "../../../runtime/config/schema/index.ts";
import { packageOf } from "../../../runtime/orchestrator/server-process.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refusals-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, "fleet.yaml");
  await writeFile(path, text);
  return path;
}
const refusal = (path: string, env: Record<string, string> = {}) =>
  loadConfig(path, { env }).then(
    () => "taken",
    ({ code, message }) => `${code} ${String(message).replaceAll(path, "FILE")}`,
  );

describe("a file that is more than it seems is refused with its place, and without a stack trace", () => {
  const bomb = [
    "a: &a [x,x,x,x,x,x,x,x,x,x]",
    ...[..."bcdefgh"].map((name, index) => {
      const before = "abcdefg"[index];
      return `${name}: &${name} [${Array(10).fill(`*${before}`).join(",")}]`;
    }),
  ].join("\n");
  test.each([
    [bomb, "CONFIG_INVALID FILE:2:8: has aliases that expand to too much; write the values out"],
    [
      "servers:\n  a: &a { type: custom, process: *a }\n",
      "CONFIG_INVALID FILE:2:34: has an alias that stands for what it is part of; write the value out",
    ],
    [
      `servers: ${"[".repeat(20_000)}`,
      expect.stringMatching(
        /^CONFIG_INVALID FILE:\d+:\d+: (is nested too deeply; write it flatter|.*; correct the syntax)$/,
      ),
    ],
    ["a: *nobody\n", "CONFIG_INVALID FILE:1:4: has an alias without an anchor before it; correct the name"],
  ])("%.40j", async (text, message) => {
    expect(await refusal(await file(text))).toEqual(message);
  });
});

test.each([
  "latest",
  "npm:evil@1.0.0",
  "file:/tmp/x",
  "^1.0.0",
  "1",
  "1.2",
  "1.x",
  "git+https://h/x.git",
  "01.2.3",
  "1.2.3+x",
  "1.2.3 ",
  "*",
  "https://h/x.tgz",
  "1.2.3-",
])("the version %j of a preset, which can be another program tomorrow, is refused", (version) => {
  const fix = "give one version like 1.2.3 or 1.2.3-beta.1; tags, ranges, aliases and paths can change what runs";
  expect(validateServer({ type: "magic", version }).map(issueText)).toEqual([
    `version: is ${JSON.stringify(version)}, which is no exact version; ${fix}`,
  ]);
  expect(() => packageOf({ name: "a", type: "magic", version })).toThrow(
    "servers.a.version: is no exact version; give one like 0.1.0, without tags and ranges",
  );
});

test("a version that a variable brings is looked at as well", async () => {
  const path = await file('servers: { a: { type: magic, version: "${V}" } }');
  expect(await refusal(path, { V: "0.1.0" })).toBe("taken");
  const fix = "give one version like 1.2.3 or 1.2.3-beta.1; tags, ranges, aliases and paths can change what runs";
  expect(await refusal(path, { V: "latest" })).toBe(
    `CONFIG_INVALID FILE: servers.a.version: is "latest", which is no exact version; ${fix}`,
  );
});

test.each(["0.1.0", "2026.8.31", "1.2.3-beta.1", "10.20.30-rc-1.x"])("the version %j is taken", (version) => {
  expect(validateServer({ type: "magic", version })).toEqual([]);
  expect(packageOf({ name: "a", type: "magic", version })).toEqual({ name: "@21st-dev/magic", version });
});

describe("user and password in an address are neither ignored nor shown", () => {
  const fix =
    "remove what stands before the @, and set credentials.header to { scheme: Basic, value: ${NAME} } with the Base64 of user:password";
  const problem = (url: string) => `is "${url}" with a user or password in it, which is not sent; ${fix}`;

  test.each([
    [{ endpoints: ["http://user:canary@host/mcp"] }, `endpoints[0]: ${problem("http://host/mcp")}`],
    [{ endpoints: ["ws://canary@host/ws"] }, `endpoints[0]: ${problem("ws://host/ws")}`],
    [{ endpoints: ["tcp://user:canary@host:9"] }, `endpoints[0]: ${problem("tcp://host:9")}`],
    [{ endpoints: ["https://${U}:${P}@host/mcp"] }, `endpoints[0]: ${problem("https://host/mcp")}`],
    [
      { discovery: { static: [{ url: "https://user:pa%3Acanary@host/mcp" }] } },
      `discovery.static[0].url: ${problem("https://host/mcp")}`,
    ],
  ])("%j", (more, text) => {
    expect(validateServer({ type: "custom", ...more }).map(issueText)).toEqual([text]);
  });

  test("also where a reference brings them", async () => {
    const path = await file('servers: { a: { type: custom, endpoints: ["http://${HOST}/mcp"] } }');
    expect(await refusal(path, { HOST: "user:canary@host" })).toBe(
      `CONFIG_INVALID FILE: servers.a.endpoints[0]: ${problem("http://host/mcp")}`,
    );
  });

  test("also in the addresses of authorization servers", () => {
    const jwt = [{ issuer: "https://user:canary@as.example", audience: ["a"] }];
    expect(validateConfig({ gateway: { auth: { jwt } }, servers: {} }).map(issueText)).toEqual([
      'gateway.auth.jwt[0].issuer: is "https://as.example" with a user or password in it, which is not sent; remove what stands before the @',
    ]);
  });
});

test("what validate says repeats no value that stands where secrets do", async () => {
  const path = await file(`
gateway:
  auth: { bearerTokens: [{ name: a, hash: canary-hash }, { name: b, token: canary-token }] }
servers:
  a: { type: custom, endpoints: ["http://h/mcp?key=canary-1", "http://h/mcp?key=canary-1", "canary://h?canary"] }
  b: { type: custom, process: { command: x, args: { canary: canary }, env: [canary] } }
  c: { type: custom, protocol: stdio, endpoints: ["http://h/mcp?key=canary-2"] }
`);
  const { issues } = await readConfig(path);
  expect(issues.length).toBeGreaterThan(3);
  expect(JSON.stringify(issues.map(issueText))).not.toMatch(/canary-|canary:\/\/h\?/);
});

describe.each(["targetInFlight", "targetCpuPercent", "targetMemoryPercent"])(
  "%s where nothing reads it is refused by name",
  (target) => {
    const scaling = { [target]: 8 };
    const external = (source: string) =>
      `scaling.${target}: is given, but the instances at its ${source} are externally managed; remove it`;
    const own = (isolation: string) =>
      `scaling.${target}: is given, but isolation is "${isolation}", which gives each its own process; remove it, or set isolation to shared`;
    const process = { command: "node" };

    test.each<[object, string[]]>([
      [{ endpoints: ["http://host/mcp"], isolation: "shared" }, [external("endpoints")]],
      [{ endpoints: ["tcp://host:9"] }, [external("endpoints")]],
      [{ discovery: { dns: { name: "host", port: 1 } }, isolation: "shared" }, [external("discovery")]],
      [{ process }, [own("session")]],
      [{ process, isolation: "caller" }, [own("caller")]],
      [{ process, isolation: "shared" }, []],
    ])("%j", (more, texts) => {
      expect(validateServer({ type: "custom", scaling, ...more } as Server).map(issueText)).toEqual(texts);
    });

    test("a preset's own isolation counts too", () => {
      expect(validateServer({ type: "context7", scaling }).map(issueText)).toEqual([]);
      expect(validateServer({ type: "playwright", scaling }).map(issueText)).toEqual([own("session")]);
    });
  },
);
