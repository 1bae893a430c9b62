import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { request } from "undici";
import { freePort } from "../support/checkout.ts";
import { Listening } from "../support/listening.ts";

// Two gateways with the same key, as behind a load balancer; the one that serves a session is killed.
const root = join(import.meta.dirname, "../..");
const key = randomBytes(32).toString("base64");
let folder: string;
let server: Listening;
const replicas: ChildProcess[] = [];
/** Where the load balancer sends requests now. */
let current: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "replicas-test-"));
  server = await Listening.start(join(root, "test/conformance/fixture/http.ts"), {
    FIXTURE: join(root, "test/fixtures/lasting-server.ts"),
    ERA: "legacy",
  });
});
afterEach(async () => {
  for (const replica of replicas.splice(0)) {
    if (replica.exitCode !== null || replica.signalCode !== null) continue;
    replica.kill("SIGTERM");
    await once(replica, "exit");
  }
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A gateway in a process and with a state folder of its own. */
async function replica(name: string): Promise<{ readonly url: string; readonly process: ChildProcess }> {
  const port = await freePort();
  const config = join(folder, `${name}.json`);
  const light = { command: process.execPath, args: [join(root, "test/fixtures/light-server.mjs")] };
  await writeFile(
    config,
    JSON.stringify({
      gateway: { port, session: { keys: [{ id: "shared", key: "${SESSION_KEY}" }] } },
      servers: {
        remote: { type: "custom", isolation: "shared", endpoints: [`http://127.0.0.1:${server.port}/mcp`] },
        counter: { type: "custom", isolation: "session", process: light },
      },
    }),
  );
  const serve = ["serve", "--config", config, "--state", join(folder, name)];
  const child = spawn(process.execPath, [join(root, "runtime/cli/main.ts"), ...serve], {
    ...{ env: { ...process.env, SESSION_KEY: key }, stdio: "ignore" },
  });
  replicas.push(child);
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 500; tries += 1) {
    const status = await request(`${url}/ready`).then(
      async ({ statusCode, body }) => body.dump().then(() => statusCode),
      () => 0,
    );
    if (status === 200) return { url, process: child };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} did not become ready`);
}

/** Requests go to the replica that the balancer points at, whatever address the client knows. */
const balanced = (url: string | URL, init?: RequestInit) => {
  const { pathname, search } = new URL(url);
  return fetch(current + pathname + search, init);
};

test.each(["legacy", "auto"] as const)(
  "a replica is killed in the middle of a session of a client in mode %s: another one carries on",
  async (mode) => {
    const [first, second] = await Promise.all([replica("first"), replica("second")]);
    current = first.url;
    const client = new Client({ name: "balanced", version: "1" }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", current), { fetch: balanced }));
    const say = async (name: string) => {
      const { content } = await client.callTool({ name, arguments: {} });
      return JSON.parse((content as { text: string }[])[0]?.text as string);
    };
    expect(await say("counter__count")).toMatchObject({ count: 1 });
    const cut = client.callTool({ name: "remote__wait", arguments: {} }).catch((error) => error);
    while ((await say("remote__counts")).waiting !== 1) await new Promise((resolve) => setTimeout(resolve, 20));
    const gone = once(first.process, "exit");
    first.process.kill("SIGKILL");
    await gone;
    current = second.url;
    expect(String(await cut)).toMatch(/fetch failed|terminated|other side closed/);
    // The same client, the same session; what a killed process kept in memory is gone, the session is not.
    expect(await say("remote__counts")).toMatchObject({ cancelled: 0 });
    expect(await say("counter__count")).toMatchObject({ count: 1 });
    expect(await say("counter__count")).toMatchObject({ count: 2 });
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("counter__count");
    await client.close();
  },
);
