import { expect, test } from "@jest/globals";
import { convertClientConfig } from "../../../runtime/config/client-config.ts";
import { validateConfig } from "../../../runtime/config/schema/index.ts";

test("known packages become presets, others custom servers, secrets references, and what is left out is told", () => {
  const { servers, notes } = convertClientConfig({
    mcpServers: {
      context7: { command: "npx", args: ["-y", "@upstash/context7-mcp@4.0.0"] },
      browser: { command: "npx", args: ["@playwright/mcp@latest"] },
      "browser with options": { command: "npx", args: ["-y", "@playwright/mcp", "--browser=firefox"] },
      "My GitHub!": {
        command: "docker",
        args: ["run", "github"],
        env: { GITHUB_TOKEN: "abc", MODE: "ro", OTHER_KEY: "${OTHER_KEY}" },
        cwd: "/srv",
      },
      web: { type: "http", url: "https://example.com/mcp" },
      old: { type: "sse", url: "https://example.com/sse" },
      empty: {},
      ÄÖ: { command: "x" },
      server: { command: "y" },
    },
  });
  expect(servers).toEqual({
    context7: { type: "context7", version: "4.0.0" },
    browser: { type: "playwright" },
    "browser-with-options": {
      type: "custom",
      process: { command: "npx", args: ["-y", "@playwright/mcp", "--browser=firefox"] },
    },
    "my-github": {
      type: "custom",
      process: {
        command: "docker",
        args: ["run", "github"],
        env: { GITHUB_TOKEN: "${GITHUB_TOKEN}", MODE: "ro", OTHER_KEY: "${OTHER_KEY}" },
        cwd: "/srv",
      },
    },
    web: { type: "custom", endpoints: ["https://example.com/mcp"] },
    server: { type: "custom", process: { command: "x" } },
    "server-2": { type: "custom", process: { command: "y" } },
  });
  expect(notes).toEqual([
    "browser with options is called browser-with-options here: names are lower case letters, digits and hyphens",
    "My GitHub! is called my-github here: names are lower case letters, digits and hyphens",
    "my-github: set the environment variable GITHUB_TOKEN for the gateway; its value was not copied",
    "old was left out: its transport (HTTP+SSE of 2024-11-05) is not supported",
    "empty was left out: it has neither command nor url",
    "ÄÖ is called server here: names are lower case letters, digits and hyphens",
    "server is called server-2 here: names are lower case letters, digits and hyphens",
  ]);
  expect(validateConfig({ servers })).toEqual([]);
});

test("VS Code's key is read too, and what is no client's file has no servers", () => {
  expect(convertClientConfig({ servers: { a: { command: "x" } } }).servers).toEqual({
    a: { type: "custom", process: { command: "x" } },
  });
  expect(convertClientConfig(null)).toEqual({ servers: {}, notes: [] });
});
