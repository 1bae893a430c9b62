import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import envPaths from "env-paths";
import type { CallSpec, Measurement, MeasureOptions, Target } from "../../runtime/bench/index.ts";
import type { HeldSessions } from "./held-sessions.ts";

const source = join(import.meta.dirname, "referee");
/** Beside what it is told to take, what a run may take. */
const patienceMs = 120_000;

/**
 * The echo server and the load generator of `referee/`, written apart from the gateway and in Rust. Its `measure` can stand in for our own,
 * except that it has one thread, which is enough, and calls fail after 30 s.
 */
export class Referee {
  /** The command of the echo server. */
  readonly upstream: readonly string[];
  readonly #loadgen: readonly string[];

  private constructor(folder: string, core: number | undefined) {
    this.upstream = [join(folder, "upstream")];
    this.#loadgen = [...(core === undefined ? [] : ["taskset", "-c", String(core)]), join(folder, "loadgen")];
  }

  /** Builds both in the user's folder for caches, which does nothing when they are there. The load generator runs on `core`, by default on any. */
  static async build(core?: number): Promise<Referee> {
    const folder = join(envPaths("mcp-fleet-bench", { suffix: "" }).cache, "referee");
    const env = { ...process.env, CARGO_TARGET_DIR: folder };
    const cargo = spawn("cargo", ["build", "--release", "--quiet"], { cwd: source, env, stdio: ["ignore", 2, 2] });
    const [code] = await once(cargo, "exit").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      const fix = "install Rust (https://rustup.rs), or leave --referee out to measure with our own load generator";
      throw new Error(`--referee: cargo is not installed; ${fix}`);
    });
    if (code !== 0) throw new Error(`--referee: cargo could not build ${source}; what it said stands above`);
    return new Referee(join(folder, "release"), core);
  }

  /** Rejects with what the load generator said when a session cannot be opened. */
  readonly measure = async (options: MeasureOptions): Promise<Measurement> => {
    const line = await this.#said(loadgenArguments(options), options.warmMs + options.durationMs);
    return measurementOf(line, options.target, options.sessions);
  };

  /** As `holdSessions`, with a second call in each session before its end; also rejects when one of those fails. */
  readonly hold = async (target: Target, call: CallSpec, count: number, restSeconds: number): Promise<HeldSessions> => {
    const args = ["sessions", "--sessions", String(count), "--rest", String(restSeconds)];
    return heldOf(await this.#said([...args, ...commonArguments(target, call)], 2000 * restSeconds));
  };

  /** What `loadgen` printed, which takes so long and what opening sessions does. */
  async #said(args: readonly string[], ms: number): Promise<string> {
    const [command, ...all] = [...this.#loadgen, ...args] as [string, ...string[]];
    return (await promisify(execFile)(command, all, { timeout: ms + patienceMs })).stdout;
  }
}

/** How `loadgen` is told what to measure. */
export function loadgenArguments({ target, call, sessions, durationMs, warmMs, rate }: MeasureOptions): string[] {
  return [
    ...["bench", "--sessions", String(sessions)],
    ...["--seconds", String(durationMs / 1000), "--warm", String(warmMs / 1000)],
    ...(rate === undefined ? [] : ["--rate", String(rate)]),
    ...commonArguments(target, call),
  ];
}

/** What every command of `loadgen` is told of a target and of the calls to it. */
function commonArguments(target: Target, call: CallSpec): string[] {
  return [
    ...["--url", target.url, "--params", call.params],
    ...(target.pids.length === 0 ? [] : ["--pid", target.pids.join(",")]),
    ...Object.entries(target.headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
    ...(call.echoes ? [] : ["--no-echo"]),
    ...(call.minBytes === undefined ? [] : ["--min-bytes", String(call.minBytes)]),
    ...(call.events === undefined ? [] : ["--events", String(call.events)]),
  ];
}

/** The line of JSON that `loadgen bench` prints. */
interface LoadgenLine {
  readonly calls: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly calls_per_second: number;
  readonly p50_us: number;
  readonly p95_us: number;
  readonly p99_us: number;
  readonly max_us: number;
  /** Not there when it was given no process. */
  readonly cpu_us_per_call?: number;
  readonly rss_kb?: number;
}

/** What `loadgen bench` printed, as our own load generator would have said it. */
export function measurementOf(line: string, target: Target, sessions: number): Measurement {
  const said = JSON.parse(line) as LoadgenLine;
  const { calls, errors, calls_per_second: callsPerSecond, cpu_us_per_call: cpuUsPerCall, rss_kb: rssKb } = said;
  return {
    ...{ target: target.name, sessions, calls, errors, callsPerSecond },
    ...{ p50Ms: said.p50_us / 1000, p95Ms: said.p95_us / 1000 },
    ...{ p99Ms: said.p99_us / 1000, maxMs: said.max_us / 1000 },
    ...(cpuUsPerCall === undefined ? {} : { cpuUsPerCall }),
    ...(rssKb === undefined ? {} : { rssMb: rssKb / 1024 }),
  };
}

/** What `loadgen sessions` printed. Throws when not every session was opened and called in twice. */
export function heldOf(line: string): HeldSessions {
  const said = JSON.parse(line) as {
    readonly sessions: number;
    readonly second_ok: number;
    readonly errors: Readonly<Record<string, number>>;
    readonly rss_before_kb: number;
    readonly rss_held_kb: number;
    readonly rss_closed_kb: number;
  };
  if (said.second_ok < said.sessions) {
    throw new Error(`${said.second_ok} of ${said.sessions} sessions answered twice: ${JSON.stringify(said.errors)}`);
  }
  return { startKb: said.rss_before_kb, withOpenKb: said.rss_held_kb, closedKb: said.rss_closed_kb };
}
