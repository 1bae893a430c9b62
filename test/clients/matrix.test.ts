import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { TestGateway } from "../support/gateway.ts";
import { testWith } from "../support/needs.ts";
import { RealServers } from "./real-servers.ts";
import { inspectorCli, python, type Seen, typeScriptV1, typeScriptV2, type Visit, type Walk } from "./walks.ts";

// Real clients walk through real servers: each client once at /mcp and once at every /mcp/<server>.
let real: RealServers;
let gateway: TestGateway;
const prompt = { name: "simple-prompt", text: "This is a simple prompt without arguments." };
const resource = { uri: "demo://resource/static/document/architecture.md", line: "# Everything Server – Architecture" };

beforeAll(async () => {
  real = await RealServers.prepare();
  const servers = Object.fromEntries(Object.entries(real.servers).map(([name, { config }]) => [name, config]));
  gateway = await TestGateway.start({ servers });
  // The first list leaves out servers that take longer than its deadline to start, as those in Python may.
  const ready = () => gateway.gateway.status().servers.every(({ health }) => health === "ready");
  for (let tries = 0; !ready() && tries < 1000; tries += 1) await new Promise((done) => setTimeout(done, 50));
});
afterAll(async () => {
  await gateway.close();
  real.close();
});

/** One visit to all servers together; names tell the server. */
function federated(): { readonly visits: Visit[]; readonly expected: object[] } {
  const named = Object.entries(real.servers).sort(([a], [b]) => (a < b ? -1 : 1));
  const calls = named.map(([name, { tool, arguments: args }]) => ({ tool: `${name}__${tool}`, arguments: args }));
  const visit = {
    ...{ url: `${gateway.url}/mcp`, calls },
    ...{ prompt: `everything__${prompt.name}`, resource: `everything+${resource.uri}` },
  };
  const tools = Object.fromEntries(named.map(([name, server]) => [name, server.tools]));
  const answers = named.map(([, { answer }]) => answer);
  return { visits: [visit], expected: [{ tools, answers, prompt: prompt.text, resource: resource.line }] };
}

/** One visit to each server. */
function oneByOne(): { readonly visits: Visit[]; readonly expected: object[] } {
  const visits = Object.entries(real.servers).map(([name, { tool, arguments: args }]) => ({
    ...{ url: `${gateway.url}/mcp/${name}`, calls: [{ tool, arguments: args }] },
    prompt: name === "everything" ? prompt.name : undefined,
    resource: name === "everything" ? resource.uri : undefined,
  }));
  const expected = Object.entries(real.servers).map(([name, { tools, answer }]) => ({
    ...{ tools: { "": tools }, answers: [answer] },
    ...(name === "everything" ? { prompt: prompt.text, resource: resource.line } : {}),
  }));
  return { visits, expected };
}

/** The one thing in an answer that changes. */
const timeless = (text: string) =>
  text
    .replace(/\d{4}-\d\d-\d\d(?=T)/g, "<today>")
    .replace(/"day_of_week": "[A-Z][a-z]+day"/g, '"day_of_week": "<day>"');

/** What was seen, with the number of tools of each server. */
function counted({ tools, answers, prompt: got, resource: read }: Seen): object {
  const counts: Record<string, number> = {};
  for (const name of tools) {
    const server = name.includes("__") ? name.slice(0, name.indexOf("__")) : "";
    counts[server] = (counts[server] ?? 0) + 1;
  }
  return {
    ...{ tools: counts, answers: answers.map(timeless) },
    ...(got == null ? {} : { prompt: got }),
    ...(read == null ? {} : { resource: read }),
  };
}

const withPython = testWith("the Python clients and servers");
const clients: [string, (name: string, run: () => Promise<void>) => void, Walk, string | undefined][] = [
  ["the TypeScript SDK v1", test, typeScriptV1, "2025-11-25"],
  ["the TypeScript SDK v2, legacy", test, typeScriptV2("legacy"), "2025-11-25"],
  ["the TypeScript SDK v2, auto", test, typeScriptV2("auto"), "2026-07-28"],
  ["the Python SDK, legacy", withPython, python("sdk", "legacy"), "2025-11-25"],
  ["the Python SDK, auto", withPython, python("sdk", "auto"), "2026-07-28"],
  ["FastMCP", withPython, python("fastmcp", "auto"), undefined],
  ["the Inspector, legacy", test, inspectorCli("legacy"), undefined],
  ["the Inspector, modern", test, inspectorCli("modern"), undefined],
];

describe.each(clients)("%s", (_name, run, walk, revision) => {
  run("reaches every server at /mcp", async () => {
    const { visits, expected } = federated();
    const seen = await walk(visits);
    expect(seen.map(counted)).toEqual(expected);
    expect(seen[0]?.revision).toBe(revision);
  });

  run("reaches every server at /mcp/<server>", async () => {
    const { visits, expected } = oneByOne();
    const seen = await walk(visits);
    expect(seen.map(counted)).toEqual(expected);
    expect([...new Set(seen.map((one) => one.revision))]).toEqual([revision]);
  });
});
