import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Target } from "../../runtime/bench/index.ts";
import { nginxArguments, nginxCommand } from "./nginx.ts";

const here = import.meta.dirname;
const entry = join(here, "../../runtime/cli/main.ts");
const token = "bench-token";

/** The processes of one run: the upstream, and everything that may stand before it. All end with `stop`. */
export class Contestants {
  readonly folder = mkdtempSync(join(tmpdir(), "mcp-fleet-bench-"));
  readonly #children: ChildProcess[] = [];
  #upstream = 0;

  /** Starts the upstream, by default the echo server of this folder; resolves with it as a target. Its command prints the port. */
  async upstream(command = [process.execPath, join(here, "echo-upstream.mjs")] as readonly string[]): Promise<Target> {
    const [file, ...args] = command as [string, ...string[]];
    const { child, line } = await this.#start(file, args, /^(\d+)$/);
    this.#upstream = Number(line);
    return { name: "direct", url: `http://127.0.0.1:${line}/mcp`, headers: {}, pids: [child.pid as number] };
  }

  /** A proxy of this folder. */
  async proxy(name: string, file: string): Promise<Target> {
    const origin = `http://127.0.0.1:${this.#upstream}`;
    const { child, line } = await this.#start(process.execPath, [join(here, file), origin], /^(\d+)$/);
    return { name, url: `http://127.0.0.1:${line}/mcp`, headers: {}, pids: [child.pid as number] };
  }

  /** nginx as a plain proxy; undefined where it is not installed. */
  async nginx(): Promise<Target | undefined> {
    if (nginxCommand === undefined) return undefined;
    const port = await freePort();
    const child = spawn(nginxCommand, nginxArguments(join(this.folder, "nginx"), port, this.#upstream), {
      stdio: "ignore",
    });
    this.#children.push(child);
    return { name: "nginx", url: `http://127.0.0.1:${port}/mcp`, headers: {}, pids: [child.pid as number] };
  }

  /** The gateway with nothing but what it cannot do without. */
  minimal(flags: readonly string[] = []): Promise<Target> {
    return this.#gateway("minimal", { log: { level: "silent" } }, {}, {}, flags);
  }

  /** The gateway as a production has it: authentication and logs at info in a file beside what is on by default (metrics, limits, breaker, checks, retries, pools). */
  full(flags: readonly string[] = []): Promise<Target> {
    return this.#complete("full", {}, flags);
  }

  /** The same, spread over two processes. */
  workers(): Promise<Target> {
    return this.#complete("workers", { workers: 2 }, []);
  }

  /** A quiet gateway with other settings of its own, and what its callers send. */
  secured(name: string, gateway: Record<string, unknown>, headers: Record<string, string>): Promise<Target> {
    return this.#gateway(name, { log: { level: "silent" }, ...gateway }, {}, headers, []);
  }

  /** A quiet gateway whose server has other settings, or is another one. */
  variant(name: string, server: Record<string, unknown>): Promise<Target> {
    return this.#gateway(name, { log: { level: "silent" } }, server, {}, []);
  }

  #complete(name: string, more: Record<string, unknown>, flags: readonly string[]): Promise<Target> {
    const auth = { bearerTokens: [{ name: "bench", token: "${BENCH_TOKEN}" }] };
    const log = { level: "info", file: join(this.folder, `${name}.log`) };
    return this.#gateway(name, { auth, log, ...more }, {}, { authorization: `Bearer ${token}` }, flags);
  }

  async #gateway(
    name: string,
    gateway: Record<string, unknown>,
    server: Record<string, unknown>,
    headers: Record<string, string>,
    flags: readonly string[],
  ): Promise<Target> {
    const config = join(this.folder, `${name}.json`);
    const port = await freePort();
    const endpoints = [`http://127.0.0.1:${this.#upstream}/mcp`];
    const source = server.process === undefined ? { endpoints } : {};
    const servers = { echo: { type: "custom", isolation: "shared", ...source, ...server } };
    writeFileSync(config, JSON.stringify({ gateway: { port, ...gateway }, servers }));
    const args = [...flags, entry, "serve", "--config", config, "--state", join(this.folder, name)];
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, BENCH_TOKEN: token },
    });
    this.#children.push(child);
    const url = `http://127.0.0.1:${port}`;
    await until(async () => (await fetch(`${url}/ready`)).ok);
    return { name, url: `${url}/mcp/echo`, headers, pids: [child.pid as number] };
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(command: string, args: readonly string[], wanted: RegExp) {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    for await (const line of createInterface({ input: child.stdout })) if (wanted.test(line)) return { child, line };
    throw new Error(`${args.join(" ")} ended before it listened`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await condition().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("a gateway did not become ready within 30 s");
}
