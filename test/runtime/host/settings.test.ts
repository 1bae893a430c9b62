import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { type HostOptions, hostConfig } from "../../../runtime/host/settings.ts";

const options = { host: "127.0.0.1", port: 3001 };
const settle = (more: Partial<HostOptions>, env = {}) => hostConfig({ ...options, ...more }, env);

test("a preset by its type", async () => {
  const { name, config, secrets } = await settle({ type: "context7", serverVersion: "4.1.0", logLevel: "warn" });
  expect({ name, secrets }).toEqual({ name: "context7", secrets: [] });
  expect(config.gateway).toMatchObject({ host: "127.0.0.1", port: 3001, log: { level: "warn" } });
  expect(config.servers).toMatchObject([{ name: "context7", type: "context7", version: "4.1.0", protocol: "stdio" }]);
});

test("a host drains for as long as its platform lets it", async () => {
  const drainOf = async (more: Partial<HostOptions>) =>
    (await settle({ type: "context7", ...more })).config.gateway.drainMs;
  expect(await drainOf({ drainMs: 120_000 })).toBe(120_000);
  expect(await drainOf({})).toBe(10_000);
});

test("a command line wins over the block, whose other keys stay; references are resolved and kept out of logs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "settings-test-"));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, "canary-token\n");
  const server = JSON.stringify({
    process: { command: "old", env: { KEY: "${KEY}", PLAIN: "1" } },
    isolation: "shared",
    scaling: { maxInstances: 2 },
  });
  const command = ["node", "server.js", "--flag"];
  const { name, config, secrets } = await settle({ server, command, name: "notes", tokenFile }, { KEY: "canary-key" });
  expect(name).toBe("notes");
  expect(config.servers).toMatchObject([
    {
      name: "notes",
      type: "custom",
      isolation: "shared",
      process: { command: "node", args: ["server.js", "--flag"], env: { KEY: "canary-key", PLAIN: "1" } },
      scaling: { maxInstances: 2 },
    },
  ]);
  expect(config.gateway.auth).toEqual({ bearerTokens: [{ name: "host", token: "canary-token" }] });
  expect([...secrets].sort()).toEqual(["canary-key", "canary-token"]);
  rmSync(folder, { recursive: true });
});

test.each([
  [{}, "mcp-fleet host: has no source of instances; add process, endpoints or discovery"],
  [{ type: "contex7" }, 'mcp-fleet host: type: is "contex7"'],
  [{ server: "scaling: { maxInstance: 2 }", type: "magic" }, "mcp-fleet host: scaling.maxInstance: is not a known key"],
  [
    { server: "isolation: caller", type: "context7" },
    'mcp-fleet host: isolation is "caller", but a host cannot tell the callers of a gateway apart; set it to "session" ' +
      'here and keep "caller" at the gateway, which opens a session for each caller',
  ],
  [{ server: "[" }, "mcp-fleet host: --server is not YAML or JSON"],
  [{ server: "text" }, "mcp-fleet host: --server is no block of keys; write it as under servers.<name>"],
])("%j is refused", async (more, message) => {
  await expect(settle(more)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining(message),
  });
});
