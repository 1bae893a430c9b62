import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Listening } from "../support/listening.ts";

// `npm run bench:tools`: 10,000 tools over 100 servers at `/mcp`: time to list them all, and the gateway's memory.
const root = join(import.meta.dirname, "../..");
const folder = await mkdtemp(join(tmpdir(), "bench-"));
const servers = await Listening.start(join(import.meta.dirname, "many-servers.mjs"));
const entries = Array.from({ length: 100 }, (_, index) => [
  `server-${index}`,
  { type: "custom", isolation: "shared", endpoints: [`http://127.0.0.1:${servers.port}/${index}/mcp`] },
]);
const config = join(folder, "config.json");
await writeFile(config, JSON.stringify({ gateway: { port: 0 }, servers: Object.fromEntries(entries) }));
const gateway = spawn(process.execPath, [join(root, "runtime/cli/main.ts"), "serve", "--config", config]);
let url = "";
for await (const line of createInterface({ input: gateway.stderr })) {
  url = /"url":"(http[^"]+)"/.exec(line)?.[1] ?? "";
  if (url !== "") break;
}
gateway.stderr.resume();

const rssMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, "utf8"))?.[1]) / 1024;
async function list(mode: "legacy" | "auto"): Promise<{ readonly ms: number; readonly tools: number }> {
  const client = new Client({ name: "bench", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url)));
  const began = performance.now();
  let tools = 0;
  let cursor: string | undefined;
  do {
    const page = await client.request({ method: "tools/list", params: cursor === undefined ? {} : { cursor } });
    tools += (page as { tools: unknown[] }).tools.length;
    cursor = (page as { nextCursor?: string }).nextCursor;
  } while (cursor !== undefined);
  const ms = performance.now() - began;
  await client.close();
  return { ms: Math.round(ms), tools };
}

const first = await list("legacy");
const rounds = [];
for (const mode of ["legacy", "auto", "legacy", "auto"] as const) rounds.push({ mode, ...(await list(mode)) });
console.log(JSON.stringify({ first, rounds, rssMb: Math.round(rssMb()) }, null, 2));
gateway.kill();
await once(gateway, "exit");
await servers.stop();
await rm(folder, { recursive: true });
