import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { convertClientFile, parseText } from "../../../../runtime/config/client-files/index.ts";
import { projectOf } from "../../../../runtime/config/client-files/place.ts";
import { validateConfig } from "../../../../runtime/config/schema/index.ts";

const from = (mcpServers: object, file = "/srv/project/.mcp.json") => convertClientFile(file, { mcpServers });

test("names become those of servers here, none twice", () => {
  const { servers, notes } = from({ ÄÖ: { command: "x" }, server: { command: "y" }, "a--B": { command: "z" } });
  expect(Object.keys(servers)).toEqual(["server", "server-2", "a-b"]);
  expect(notes).toEqual([
    "ÄÖ is called server here: names are lower case letters, digits and hyphens",
    "server is called server-2 here: another server has its name",
    "a--B is called a-b here: names are lower case letters, digits and hyphens",
  ]);
});

test("a known package is a preset only without options of its own", () => {
  const npx = (...args: string[]) => from({ it: { command: "npx", args } }).servers.it;
  expect(npx("-y", "@upstash/context7-mcp@4.0.0")).toEqual({ type: "context7", version: "4.0.0" });
  expect(npx("@playwright/mcp@latest")).toEqual({ type: "playwright" });
  for (const args of [
    ["-y", "@playwright/mcp@^1"],
    ["-y", "@playwright/mcp", "--browser=firefox"],
  ]) {
    expect(npx(...args)).toEqual({ type: "custom", process: { command: "npx", args } });
  }
  const wrapped = { command: "cmd", args: ["/c", "npx", "-y", "some-server"] };
  expect(from({ it: wrapped }).servers.it).toEqual({
    type: "custom",
    process: { command: "npx", args: ["-y", "some-server"] },
  });
});

test("a server starts in the project's folder, unless it is a package that needs none", () => {
  const cwdOf = (entry: object) => (from({ it: entry }).servers.it as { process: { cwd?: string } }).process.cwd;
  expect(cwdOf({ command: "uv", args: ["run", "notes"] })).toBe("/srv/project");
  expect(cwdOf({ command: "npx", args: ["-y", "tsx", "./server.mjs"] })).toBe("/srv/project");
  expect(cwdOf({ command: "npx", args: ["-y", "some-server@1.2.3", "--flag"] })).toBe(undefined);
  expect(cwdOf({ command: "docker", args: ["run", "-i", "ghcr.io/some/server"] })).toBe(undefined);
  expect(cwdOf({ command: "node", args: ["x.mjs"], cwd: "sub" })).toBe("/srv/project/sub");
});

test("the variables of an envFile become references, and the user is told to set them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "client-file-"));
  try {
    await writeFile(join(folder, ".env"), "# keys\nA_TOKEN=abc\nB='x y'\n");
    const entry = { command: "npx", args: ["-y", "some-server"], envFile: ".env", env: { B: "mine" } };
    expect(convertClientFile(join(folder, ".mcp.json"), { mcpServers: { it: entry } })).toEqual({
      servers: {
        it: {
          type: "custom",
          process: { command: "npx", args: ["-y", "some-server"], env: { A_TOKEN: "${A_TOKEN}", B: "mine" } },
        },
      },
      notes: [
        `it: set the variables of ${join(folder, ".env")} for the gateway (A_TOKEN, B); their values were not copied`,
      ],
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("Claude Code's own file has the servers of the user and of this project", () => {
  const content = {
    mcpServers: { everywhere: { command: "npx", args: ["a"] } },
    projects: {
      "/home/me": { mcpServers: { here: { command: "npx", args: ["b"] } } },
      "/elsewhere": { mcpServers: { there: { command: "npx", args: ["c"] } } },
    },
  };
  expect(Object.keys(convertClientFile("/home/me/.claude.json", content).servers)).toEqual(["everywhere", "here"]);
});

test("an untyped URL that ends in /sse is HTTP+SSE, a typed one is what it says", () => {
  expect(
    from({ a: { url: "http://h/sse" }, b: { type: "http", url: "http://h/sse" }, c: { url: "http://h/mcp" } }).servers,
  ).toEqual({
    a: { type: "custom", endpoints: ["http://h/sse"], protocol: "sse" },
    b: { type: "custom", endpoints: ["http://h/sse"] },
    c: { type: "custom", endpoints: ["http://h/mcp"] },
  });
});

test("the project of a client's file is the folder above the client's own", () => {
  expect(projectOf("/srv/.trees/project/.vscode/mcp.json")).toBe("/srv/.trees/project");
  expect(projectOf("/home/me/.codeium/windsurf/mcp_config.json")).toBe("/home/me");
  expect(projectOf("/srv/project/.mcp.json")).toBe("/srv/project");
});

test("comments, trailing commas, tabs and a byte order mark are read; what is wrong is told with its place", async () => {
  expect(await parseText("mcp.json", '\uFEFF{\n\t// one\n\t"a": [1, /* two */ 2,],\n}')).toEqual({ a: [1, 2] });
  await expect(parseText("mcp.json", '{\n  "a": 1\n  "b": 2\n}')).rejects.toThrow(
    "--from: mcp.json cannot be read (line 3, column 3: CommaExpected); correct the file, or name another one",
  );
  await expect(parseText("config.toml", "a = 1\nb = = 2\n")).rejects.toThrow(
    "--from: config.toml cannot be read (line 2, column 5: invalid value); correct the file, or name another one",
  );
  expect(convertClientFile("x.json", null)).toEqual({ servers: {}, notes: [] });
});

test("user and password of a URL become a header, because an endpoint cannot hold them", () => {
  const { servers, notes } = from({ web: { url: "https://user:canary-1@h.example/mcp?apiKey=canary-2" } });
  expect(servers).toEqual({
    web: {
      type: "custom",
      endpoints: ["https://h.example/mcp?apiKey=${WEB_APIKEY}"],
      credentials: { header: { scheme: "Basic", value: "${WEB_BASIC}" } },
    },
  });
  expect(notes).toEqual([
    "web: set the environment variable WEB_BASIC for the gateway; its value was not copied",
    "web: ${WEB_BASIC} stands for user:password of its URL in Base64",
    "web: set the environment variable WEB_APIKEY for the gateway; its value was not copied",
  ]);
  expect(validateConfig({ servers })).toEqual([]);
});

test("a command with its own environment, and arguments that are one text, are taken over", () => {
  const old = { command: { path: "/usr/bin/env", args: ["a"], env: { PLAIN: "1" } } };
  expect(
    convertClientFile("/p/settings.json", { context_servers: { old, one: { command: "run", args: "x" } } }),
  ).toEqual({
    servers: {
      old: { type: "custom", process: { command: "/usr/bin/env", args: ["a"], env: { PLAIN: "1" }, cwd: "/p" } },
      one: { type: "custom", process: { command: "run", args: ["x"], cwd: "/p" } },
    },
    notes: [],
  });
});

test("a server with the name of something that every object has keeps it", () => {
  const { servers } = convertClientFile("/p/.mcp.json", { mcpServers: { constructor: { command: "run" } } });
  expect(Object.keys(servers)).toEqual(["constructor"]);
});
