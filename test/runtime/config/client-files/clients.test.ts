import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { convertClientFile, parseText } from "../../../../runtime/config/client-files/index.ts";
import { validateConfig } from "../../../../runtime/config/schema/index.ts";

const fixtures = join(import.meta.dirname, "../../../fixtures/clients");
const home = homedir();
/** The folder of a client's project. */
const at = (client: string, ...more: string[]) => join(fixtures, client, ...more);
const remote = {
  type: "custom",
  endpoints: ["http://127.0.0.1:4000/mcp"],
  credentials: { header: { scheme: "Bearer", value: "${API_TOKEN}" } },
};
const events = { type: "custom", endpoints: ["http://127.0.0.1:4000/sse"], protocol: "sse" };

async function convert(client: string, file: string) {
  const path = at(client, file);
  return convertClientFile(path, await parseText(path, readFileSync(path, "utf8")));
}

test("init takes over a file of Claude Code", async () => {
  expect(await convert("claude-code", ".mcp.json")).toEqual({
    servers: {
      local: {
        type: "custom",
        process: { command: "node", args: ["server.mjs"], env: { ROOT: "${ROOT:-/srv}" }, cwd: at("claude-code") },
      },
      remote: { ...remote, timeouts: { requestMs: 600000 } },
      "remote-default": { ...remote, endpoints: ["${API_BASE_URL:-http://127.0.0.1:4000}/mcp"] },
      old: events,
      live: { type: "custom", endpoints: ["ws://127.0.0.1:4000/ws"] },
    },
    notes: ["remote: headers not taken over: X-Team (a server has one header, for its credential)"],
  });
});

test("init takes over a file of Claude Desktop", async () => {
  expect(await convert("claude-desktop", "claude_desktop_config.json")).toEqual({
    servers: {
      "local-notes": {
        type: "custom",
        process: {
          command: "node",
          args: ["./server.mjs", "--api-key", "${LOCAL_NOTES_API_KEY}"],
          env: { NOTES_TOKEN: "${NOTES_TOKEN}", PORT: "3000", API_KEY: "${API_KEY}" },
          cwd: at("claude-desktop"),
        },
      },
      thinking: { type: "sequential", version: "2026.8.31" },
    },
    notes: [
      "local-notes: set the environment variable NOTES_TOKEN for the gateway; its value was not copied",
      "local-notes: set the environment variable API_KEY for the gateway; its value was not copied",
      "local-notes: set the environment variable LOCAL_NOTES_API_KEY for the gateway; its value was not copied",
      "Local Notes is called local-notes here: names are lower case letters, digits and hyphens",
      "empty was left out: it has neither command nor url",
    ],
  });
});

test("init takes over a file of Cline", async () => {
  expect(await convert("cline", "cline_mcp_settings.json")).toEqual({
    servers: {
      local: {
        type: "custom",
        process: { command: "node", args: ["server.mjs"], cwd: at("cline") },
        timeouts: { requestMs: 90000 },
      },
      remote: remote,
    },
    notes: ["local: not taken over: autoApprove", "off was left out: it is disabled"],
  });
});

test("init takes over a file of Codex", async () => {
  expect(await convert("codex", ".codex/config.toml")).toEqual({
    servers: {
      local: {
        type: "custom",
        process: {
          command: "node",
          args: ["server.mjs", "$${literal}"],
          env: { LOCAL_TOKEN: "${LOCAL_TOKEN}", REGION: "${REGION}", MODE: "ro" },
          cwd: at("codex"),
        },
        timeouts: { connectMs: 20000, requestMs: 45500 },
        tools: { allow: ["count"] },
      },
      remote: remote,
    },
    notes: [
      "remote: headers not taken over: X-Tenant, X-Region (a server has one header, for its credential)",
      "off was left out: it is disabled",
    ],
  });
});

test("init takes over a file of Continue", async () => {
  expect(await convert("continue", ".continue/config.yaml")).toEqual({
    servers: {
      "local-server": {
        type: "custom",
        process: {
          command: "node",
          args: ["server.mjs", "--token", "${LOCAL_TOKEN}"],
          env: { DATABASE_URL: "$file:./dev.db", TEMPLATE: "$${not-a-reference}" },
          cwd: at("continue"),
        },
      },
      remote: remote,
      events: events,
    },
    notes: ["Local server is called local-server here: names are lower case letters, digits and hyphens"],
  });
});

test("init takes over a file of Cursor", async () => {
  expect(await convert("cursor", ".cursor/mcp.json")).toEqual({
    servers: {
      local: {
        type: "custom",
        process: {
          command: at("cursor", "run.sh"),
          args: [at("cursor", "server.mjs"), home],
          env: { HOME_OF: "${HOME}" },
          cwd: at("cursor"),
        },
      },
      remote: {
        type: "custom",
        endpoints: ["http://127.0.0.1:4000/mcp"],
        credentials: { header: { name: "CONTEXT7_API_KEY", value: "${API_TOKEN}" } },
      },
    },
    notes: [
      `local: envFile was not taken over: ${at("cursor", ".env")} does not exist; add its variables to process.env`,
      "remote: not taken over: auth",
    ],
  });
});

test("init takes over a file of Gemini CLI", async () => {
  expect(await convert("gemini", ".gemini/settings.json")).toEqual({
    servers: {
      local: {
        type: "custom",
        process: {
          command: "node",
          args: ["server.mjs"],
          env: { LOCAL_KEY: "${LOCAL_KEY}", OTHER: "${OTHER:-x}" },
          cwd: at("gemini"),
        },
        timeouts: { requestMs: 30000 },
        tools: { allow: ["count", "big"] },
      },
      remote: remote,
      events: events,
    },
    notes: ["local: not taken over: trust", "unwanted was left out: it is disabled"],
  });
});

test("init takes over a file of Goose", async () => {
  expect(await convert("goose", ".config/goose/config.yaml")).toEqual({
    servers: {
      local: {
        type: "custom",
        process: {
          command: "node",
          args: ["./server.mjs"],
          env: { LOCAL_TOKEN: "${LOCAL_TOKEN}", MODE: "ro" },
          cwd: at("goose"),
        },
        timeouts: { requestMs: 60000 },
      },
      remote: {
        type: "custom",
        endpoints: ["http://127.0.0.1:4000/mcp"],
        credentials: { header: { scheme: "Bearer", value: "${REMOTE_TOKEN}" } },
      },
    },
    notes: [
      "developer was left out: it has neither command nor url",
      "remote: set the environment variable REMOTE_TOKEN for the gateway; its value was not copied",
    ],
  });
});

test("init takes over a file of opencode", async () => {
  expect(await convert("opencode", "opencode.jsonc")).toEqual({
    servers: {
      local: {
        type: "custom",
        process: {
          command: "node",
          args: ["./server.mjs", "--region", "${REGION}"],
          env: { LOCAL_KEY: `file:${join(home, ".secrets/key")}`, LITERAL: "$${x}" },
          cwd: at("opencode"),
        },
      },
      remote: remote,
    },
    notes: ["local: not taken over: timeout", "remote: not taken over: oauth", "off was left out: it is disabled"],
  });
});

test("init takes over a file of opencode 2", async () => {
  expect(await convert("opencode-2", "opencode.jsonc")).toEqual({
    servers: { local: { type: "custom", process: { command: "node", args: ["server.mjs"], cwd: at("opencode-2") } } },
    notes: ["off was left out: it is disabled"],
  });
});

test("init takes over a file of VS Code", async () => {
  expect(await convert("vscode", ".vscode/mcp.json")).toEqual({
    servers: {
      local: {
        type: "custom",
        process: {
          command: "node",
          args: [at("vscode", "server.mjs"), "--mode=${MODE:-ro}"],
          env: { LOCAL_TOKEN: "${API_TOKEN}" },
          cwd: at("vscode"),
        },
      },
      remote: remote,
      chosen: {
        type: "custom",
        process: { command: "node", args: ["server.mjs", "${COMMAND_PICK_FOLDER}"], cwd: at("vscode") },
      },
    },
    notes: [
      'local: set the environment variable API_TOKEN for the gateway: the client asks for "api-token"',
      "local: not taken over: dev",
      'remote: set the environment variable API_TOKEN for the gateway: the client asks for "api-token"',
      "socket was left out: unix: URLs are not supported",
      "chosen: ${command:pick.folder} has no counterpart; set the environment variable COMMAND_PICK_FOLDER for the gateway",
    ],
  });
});

test("init takes over a file of Windsurf", async () => {
  expect(await convert("windsurf", ".codeium/windsurf/mcp_config.json")).toEqual({
    servers: {
      local: {
        type: "custom",
        process: {
          command: "node",
          args: ["./server.mjs"],
          env: { SECRET_KEY: `file:${at("windsurf", ".secrets/key")}` },
          cwd: at("windsurf"),
        },
      },
      remote: { ...remote, tools: { deny: ["delete"] } },
    },
    notes: ["off was left out: it is disabled"],
  });
});

test("init takes over a file of Zed", async () => {
  expect(await convert("zed", ".zed/settings.json")).toEqual({
    servers: {
      local: {
        type: "custom",
        process: { command: "node", args: ["server.mjs", "$HOME/$${literal}"], cwd: at("zed") },
      },
      before: { type: "custom", process: { command: "node", args: ["./server.mjs"], cwd: at("zed") } },
      remote: {
        type: "custom",
        endpoints: ["http://127.0.0.1:4000/mcp"],
        credentials: { header: { scheme: "Bearer", value: "${REMOTE_TOKEN}" } },
      },
    },
    notes: [
      "before: not taken over: settings",
      "remote: set the environment variable REMOTE_TOKEN for the gateway; its value was not copied",
      "off was left out: it is disabled",
    ],
  });
});

test.each([
  ["claude-code", ".mcp.json"],
  ["claude-desktop", "claude_desktop_config.json"],
  ["cline", "cline_mcp_settings.json"],
  ["codex", ".codex/config.toml"],
  ["continue", ".continue/config.yaml"],
  ["cursor", ".cursor/mcp.json"],
  ["gemini", ".gemini/settings.json"],
  ["goose", ".config/goose/config.yaml"],
  ["opencode-2", "opencode.jsonc"],
  ["opencode", "opencode.jsonc"],
  ["vscode", ".vscode/mcp.json"],
  ["windsurf", ".codeium/windsurf/mcp_config.json"],
  ["zed", ".zed/settings.json"],
])("what is taken over from %s/%s is a right configuration", async (client, file) => {
  const { servers } = await convert(client, file);
  expect(validateConfig({ servers })).toEqual([]);
});
