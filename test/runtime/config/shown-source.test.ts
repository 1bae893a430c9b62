import { expect, test } from "@jest/globals";
import { resolveConfig } from "../../../runtime/config/index.ts";
import { shownAddress, shownInstance, shownSource } from "../../../runtime/config/shown-source.ts";

test.each([
  ["http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/mcp"],
  ["http://127.0.0.1:8080/plain/mcp?apiKey=canary", "http://127.0.0.1:8080/…/mcp"],
  ["https://user:pa%3Ass@host.example/mcp#canary", "https://host.example/mcp"],
  ["https://mcp.example.org/api/mcp/s/canary/mcp", "https://mcp.example.org/api/mcp/…/…/mcp"],
  ["https://${HOST:-a?b}/${KEY}/mcp?k=${KEY}", "https://${HOST}/${KEY}/mcp"],
  ["https://${USER}:${PASS}@${HOST}/mcp", "https://${HOST}/mcp"],
  ["https://host/x${KEY}/mcp", "https://host/…/mcp"],
  ["${ADDRESS:-http://canary}", "${ADDRESS}"],
  ["tcp://10.0.0.7:9000", "tcp://10.0.0.7:9000"],
  ["ws://[::1]:9000/ws?token=canary", "ws://[::1]:9000/ws"],
])("an address is shown without keys: %s", (address, shown) => {
  expect(shownAddress(address)).toBe(shown);
});

test("instances whose addresses differ in what is not shown have different names", () => {
  const [one, two] = ["http://a/mcp?k=1", "http://a/mcp?k=2"].map(shownInstance);
  expect([one, two]).toEqual([
    expect.stringMatching(/^http:\/\/a\/mcp#[0-9a-f]{6}$/),
    expect.not.stringMatching(`${one}`),
  ]);
  expect(shownInstance("http://a:1/mcp")).toBe("http://a:1/mcp");
});

test.each([
  [{ command: "node", args: ["/home/me/x.mjs", "--api-key", "canary"] }, "node x.mjs …"],
  [
    { command: "node", args: ["--token=canary", "x.mjs", "--api-key", "${MYKEY}", "y.js"] },
    "node … x.mjs … ${MYKEY} …",
  ],
  [{ command: "node", args: ["-e", "process.exit(3)", "canary"] }, "node …"],
  [{ command: "npx", args: ["-y", "@scope/server@1.2.3", "canary"] }, "npx … @scope/server@1.2.3 …"],
  [{ command: "/usr/bin/uvx", args: ["mcp-server-git", "--key=canary"] }, "/usr/bin/uvx mcp-server-git …"],
  [{ command: "npx", args: ["https://canary@host/x.tgz"] }, "npx …"],
  [{ command: "docs", args: [] }, "docs"],
])("a command line is shown without its arguments: %j", (process, shown) => {
  expect(shownSource({ process })).toBe(shown);
});

test("what is shown is made of the configuration as it was written", () => {
  const of = (key: string) => ({ servers: { a: { type: "custom" as const, endpoints: [`http://h/${key}/mcp`] } } });
  expect(resolveConfig(of("canary"), of("${KEY}")).servers[0]?.source).toBe("http://h/${KEY}/mcp");
  expect(resolveConfig(of("canary")).servers[0]?.source).toBe("http://h/…/mcp");
});
