import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { request } from "undici";
import { freePort } from "../support/checkout.ts";
import { statefulServer } from "../support/gateway.ts";
import { commandLines, descendantsOf, environmentOf, wordsInMemory } from "../support/proc.ts";
import { ProtectedServer } from "../support/protected-server.ts";

/** Words that must be nowhere but where they are needed. */
const canary = {
  token: "canary-static-token-4711",
  wrong: "canary-wrong-token-4712",
  key: "canary-api-key-4713",
  session: Buffer.from("canary-session-key-4714-32-bytes").toString("base64"),
  argument: "canary-argument-4715",
  server: "canary-server-secret-4716",
  credential: "canary-upstream-credential-4717",
};

/** Every file below a folder, as text. */
async function textsBelow(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true });
  const texts = names.map(async (name) => {
    const path = join(folder, name);
    return (await stat(path)).isFile() ? `${path}\n${await readFile(path, "latin1")}` : "";
  });
  return (await Promise.all(texts)).join("\n");
}

test("no secret is in a log, an answer, a page, the metrics, the audit log, the state folder, the process list, or a server's environment or memory", async () => {
  const folder = await mkdtemp(join(tmpdir(), "canary-"));
  const at = (name: string) => join(folder, name);
  const port = await freePort();
  const remote = await ProtectedServer.start(async ({ headers }) =>
    headers["x-api-key"] === canary.credential ? { who: "gateway" } : { status: 401 },
  );
  const notes = statefulServer({ rateLimiting: { maxRequests: 50 }, integrity: { mode: "warn" } });
  const config = {
    gateway: {
      ...{ port, log: { level: "trace", file: at("out/gateway.log") }, audit: { file: at("out/audit.log") } },
      ...{ admin: { socket: at("admin.sock") }, rateLimiting: { caller: { maxRequests: 100 } } },
      auth: {
        bearerTokens: [{ name: "ann", token: "${CANARY_TOKEN}", roles: ["user"] }],
        apiKeys: [{ name: "app", key: `file:${at("api-key")}` }],
      },
      authorization: { rules: [{ effect: "allow", roles: ["user"], when: 'tool != "crash"' }] },
      session: { keys: [{ id: "k", key: "${CANARY_SESSION}" }] },
    },
    servers: {
      notes: { ...notes, process: { ...notes.process, env: { NOTES_SECRET: "${CANARY_SERVER}" } } },
      remote: {
        ...{ type: "custom", endpoints: [remote.url], isolation: "shared", integrity: { mode: "warn" } },
        credentials: { header: { name: "X-Api-Key", value: "${CANARY_CREDENTIAL}" } },
      },
    },
  };
  await writeFile(at("api-key"), canary.key);
  await writeFile(at("fleet.json"), JSON.stringify(config));
  const main = join(import.meta.dirname, "../../runtime/cli/main.ts");
  const args = [main, "serve", "--config", at("fleet.json"), "--state", at("out/state")];
  const gateway = spawn(process.execPath, args, {
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME },
      ...{ CANARY_TOKEN: canary.token, CANARY_SESSION: canary.session, CANARY_SERVER: canary.server },
      CANARY_CREDENTIAL: canary.credential,
    },
  });
  let said = "";
  for (const stream of [gateway.stdout, gateway.stderr]) stream.on("data", (chunk) => (said += chunk));
  const ask = async (path: string, token?: string, body?: unknown, method = body === undefined ? "GET" : "POST") => {
    const headers = {
      ...{ accept: "application/json, text/event-stream", "content-type": "application/json" },
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const answer = await request(`http://127.0.0.1:${port}${path}`, {
      ...{ method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
    });
    const text = await answer.body.text();
    said += `${JSON.stringify(answer.headers)}\n${text}\n`;
    return { status: answer.statusCode, text };
  };
  try {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      if (
        await ask("/ready").then(
          ({ status }) => status === 200,
          () => false,
        )
      )
        break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const call = (name: string) => ({ method: name, params: { note: canary.argument } });
    const path = "/api/v1/servers/notes/requests";
    const where = await ask(path, canary.token, call("where"));
    expect(where.status).toBe(200);
    expect((await ask(path, canary.token, call("crash"))).status).toBe(403);
    expect((await ask(path, canary.token, call("no-such-tool"))).status).toBe(400);
    expect((await ask(path, canary.wrong, call("count"))).status).toBe(401);
    expect((await ask("/mcp", undefined, {})).status).toBe(401);
    expect((await ask("/api/v1/servers/remote/tools/whoami", canary.token, {})).status).toBe(200);
    const pages = [
      "/docs",
      "/openapi.json",
      "/metrics",
      "/dashboard",
      "/dashboard/data",
      "/api/v1/servers",
      "/api/v1/servers/remote",
    ];
    for (const page of pages) expect([page, (await ask(page, canary.token)).status]).toEqual([page, 200]);
    expect((await ask("/nowhere", canary.token)).status).toBe(404);
    const lines = await commandLines();
    const started = await descendantsOf(gateway.pid as number);
    const environments = await Promise.all(started.map(environmentOf));
    const words = Object.values(canary);
    const memories = [];
    for (const pid of started) memories.push(await wordsInMemory(pid, words));
    const own = await wordsInMemory(gateway.pid as number, words);
    gateway.kill("SIGTERM");
    await once(gateway, "exit");
    const written = await textsBelow(at("out"));
    // What was looked at is there, and a server has its own secret, which shows that the search finds one.
    expect(written).toContain("gateway.log");
    expect(written).toContain('"outcome":"ok"');
    expect(lines.join("\n")).toContain("stateful-server.ts");
    expect(started.length).toBeGreaterThan(0);
    expect(environments.join("\n")).toContain(canary.server);
    // The gateway's own memory has what it compares with or sends: the search finds words in a memory.
    expect(own).toEqual(expect.arrayContaining([canary.server, canary.credential]));
    const found = (text: string) =>
      Object.entries(canary).flatMap(([name, word]) => (text.includes(word) ? [name] : []));
    expect({ said: found(said), written: found(written), processes: found(lines.join("\n")) }).toEqual({
      ...{ said: [], written: [], processes: [] },
    });
    expect(environments.flatMap(found)).toEqual(environments.map(() => "server"));
    // A server has its own secret and what it was asked.
    const allowed: readonly string[] = [canary.server, canary.argument];
    expect(memories.flat().filter((word) => !allowed.includes(word))).toEqual([]);
    expect(memories.flat()).toContain(canary.server);
  } finally {
    gateway.kill("SIGKILL");
    await remote.close();
    await rm(folder, { recursive: true, force: true });
  }
});
