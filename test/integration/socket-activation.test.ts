import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "@jest/globals";
import { freePort } from "../support/checkout.ts";
import { until } from "../support/docker.ts";
import { testWith } from "../support/needs.ts";

// systemd-socket-activate(1) listens, and with the first connection becomes the gateway: no service manager is needed for that.
const test = testWith("systemd-analyze and systemd-socket-activate");
const program = join(import.meta.dirname, "../../runtime/cli/main.ts");

let folder: string;
let port: number;
let child: ChildProcess | undefined;
let said: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "socket-activation-"));
  port = await freePort();
});
afterEach(() => {
  child?.kill("SIGKILL");
  return rm(folder, { recursive: true });
});

/** Starts a gateway as a socket unit does; resolves with its answer to the first request, or with its exit code. */
async function activated(gateway: object, listen: readonly number[], host = "127.0.0.1"): Promise<number> {
  const config = join(folder, "mcp-fleet.json");
  const servers = { nobody: { type: "custom", endpoints: ["http://127.0.0.1:9/mcp"] } };
  await writeFile(config, JSON.stringify({ gateway, servers }));
  const sockets = listen.flatMap((one) => ["--listen", `${host}:${one}`]);
  const started = spawn(
    "systemd-socket-activate",
    [...sockets, process.execPath, program, "serve", "--config", config],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  child = started;
  said = "";
  started.stderr.on("data", (text: Buffer) => {
    said += text;
  });
  return until(async () => {
    if (started.exitCode !== null) return started.exitCode;
    return (await fetch(`http://127.0.0.1:${port}/health`)).status;
  });
}

const lineWith = (text: string) => said.split("\n").find((line) => line.includes(text)) as string;

test("whoever connects before the gateway is there waits, and is served", async () => {
  expect(await activated({ port }, [port])).toBe(200);
  expect(JSON.parse(lineWith('"listening"'))).toMatchObject({ url: `http://127.0.0.1:${port}` });
  child?.kill("SIGTERM");
  expect(await once(child as ChildProcess, "exit")).toEqual([0, null]);
});

test("several processes cannot share one socket, and one gateway does not take several", async () => {
  expect(await activated({ port, workers: 2 }, [port])).toBe(2);
  expect(lineWith("mcp-fleet: ")).toBe(
    "mcp-fleet: gateway.workers: is 2, but the service manager hands over one socket; set it to 1",
  );
  expect(await activated({ port }, [port, await freePort()])).toBe(2);
  expect(lineWith("mcp-fleet: ")).toBe(
    "mcp-fleet: LISTEN_FDS: is 2, but the gateway takes one socket; keep one ListenStream= in its socket unit",
  );
});

test("a socket that other machines reach needs a host that says so, which needs a token", async () => {
  expect(await activated({ port }, [port], "0.0.0.0")).toBe(2);
  expect(lineWith("mcp-fleet: ")).toBe(
    "mcp-fleet: gateway.host: is 127.0.0.1, but the service manager's socket listens at 0.0.0.0; say the same in both",
  );
  expect(await activated({ port, host: "0.0.0.0" }, [port], "0.0.0.0")).toBe(2);
  expect(lineWith("mcp-fleet: ")).toContain(
    'gateway.host: is "0.0.0.0", which other machines reach, without authentication',
  );
});
