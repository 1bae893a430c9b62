import { expect, test } from "@jest/globals";
import { presets, translateCall } from "../../../runtime/orchestrator/presets.ts";
import { sourceOf } from "../../../runtime/orchestrator/server-process.ts";

test("the presets are pinned, and share a process only where the server remembers nothing", () => {
  const facts = Object.entries(presets).map(([name, { package: from, version, isolation, aliases }]) => [
    name,
    `${from}@${version}`,
    isolation,
    aliases,
  ]);
  expect(facts).toEqual([
    ["context7", "@upstash/context7-mcp@4.1.1", "shared", {}],
    [
      "sequential",
      "@modelcontextprotocol/server-sequential-thinking@2026.8.31",
      "session",
      { "analyze-problem": "sequentialthinking" },
    ],
    ["magic", "@21st-dev/magic@0.1.0", "shared", { "generate-component": "21st_magic_component_inspiration" }],
    ["playwright", "@playwright/mcp@0.0.83", "session", {}],
  ]);
});

test("the specification's methods come to calls that the real servers take", () => {
  expect(translateCall("context7", "resolve-library-id", { libraryName: "react" })).toEqual([
    { tool: "resolve-library-id", arguments: { query: "react", libraryName: "react" } },
  ]);
  expect(translateCall("sequential", "sequentialthinking", { problem: "optimization" })).toEqual([
    {
      tool: "sequentialthinking",
      arguments: { thought: "optimization", thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false },
    },
  ]);
  // Not the builder, which opens a browser beside the server and waits for a click.
  expect(translateCall("magic", "21st_magic_component_inspiration", { type: "button" })).toEqual([
    {
      tool: "21st_magic_component_inspiration",
      arguments: { message: "Create a button component", searchQuery: "button" },
    },
  ]);
  expect(translateCall("playwright", "navigate-and-screenshot", { url: "http://localhost/", fullPage: true })).toEqual([
    { tool: "browser_navigate", arguments: { url: "http://localhost/" } },
    { tool: "browser_take_screenshot", arguments: { scale: "css", fullPage: true } },
  ]);
});

test("a tool's own parameters pass unchanged", () => {
  const thought = { thought: "a", thoughtNumber: 2, totalThoughts: 3, nextThoughtNeeded: true };
  expect(translateCall("sequential", "sequentialthinking", thought)).toEqual([
    { tool: "sequentialthinking", arguments: thought },
  ]);
  expect(translateCall("custom", "navigate-and-screenshot", { url: "x" })).toEqual([
    { tool: "navigate-and-screenshot", arguments: { url: "x" } },
  ]);
});

test("Chromium's sandbox is given up only as root, and a browser is named only when there is one", () => {
  expect(presets.playwright.args({ ownSandbox: true, browser: undefined })).toEqual(["--headless", "--isolated"]);
  expect(presets.playwright.args({ ownSandbox: false, browser: "/usr/bin/chromium" })).toEqual([
    "--headless",
    "--isolated",
    "--no-sandbox",
    "--executable-path",
    "/usr/bin/chromium",
  ]);
});

test("a source is told as a package, a command line or endpoints", () => {
  expect(sourceOf({ name: "a", type: "magic", version: "0.0.9" })).toBe("@21st-dev/magic@0.0.9");
  expect(sourceOf({ name: "a", type: "custom", process: { command: "node", args: ["x.js"] } })).toBe("node x.js");
  expect(sourceOf({ name: "a", type: "custom", endpoints: ["http://a/mcp", "http://b/mcp"] })).toBe(
    "http://a/mcp, http://b/mcp",
  );
});
