import { writeFileSync } from "node:fs";
import {
  type BenchReport,
  benchTable,
  type CallSpec,
  describeMachine,
  discover,
  errorCount,
  htmlReport,
  runSuite,
  type Target,
} from "../bench/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import { terminalJson } from "../terminal-text.ts";
import { ExitCode } from "./exit.ts";

/** Options of `mcp-fleet bench`. */
export interface BenchOptions {
  readonly url: string;
  readonly direct?: string;
  readonly header: Readonly<Record<string, string>>;
  readonly directHeader: Readonly<Record<string, string>>;
  readonly tool?: string;
  readonly args?: string;
  readonly sessions: readonly number[];
  readonly duration: number;
  readonly warm: number;
  readonly rounds: number;
  readonly threads: number;
  readonly pid: readonly number[];
  readonly directPid: readonly number[];
  readonly json?: string;
  readonly html?: string;
}

/** Measures and reports. Leaves with 1 when an answer was wrong. */
export async function bench(options: BenchOptions): Promise<void> {
  const { url, direct, sessions, rounds, threads, json, html } = options;
  const targets: Target[] = [{ name: "gateway", url: urlOf("--url", url), headers: options.header, pids: options.pid }];
  if (direct !== undefined) {
    targets.unshift({
      name: "direct",
      url: urlOf("--direct", direct),
      headers: options.directHeader,
      pids: options.directPid,
    });
  }
  const calls = new Map<Target, CallSpec>();
  for (const target of targets) calls.set(target, await discover(target, options));
  const steps = rounds * sessions.length * targets.length;
  let step = 0;
  const measurements = await runSuite({
    targets,
    call: (target) => calls.get(target) as CallSpec,
    ...{ sessions, rounds, threads, durationMs: 1000 * options.duration, warmMs: 1000 * options.warm },
    onMeasured: ({ target, sessions: count, callsPerSecond }) => {
      step += 1;
      if (process.stderr.isTTY) {
        process.stderr.write(`${step}/${steps} ${target}, ${count} sessions: ${Math.round(callsPerSecond)} calls/s\n`);
      }
    },
  });
  const report: BenchReport = {
    at: new Date().toISOString(),
    machine: describeMachine(),
    command: commandLine(options),
    rounds,
    echoes: [...calls.values()].every(({ echoes }) => echoes),
    measurements,
  };
  process.stdout.write(`${benchTable(measurements, direct === undefined ? undefined : "direct")}\n`);
  if (json !== undefined) write("--json", json, `${JSON.stringify(report, null, 2)}\n`);
  if (html !== undefined) write("--html", html, htmlReport(report));
  const wrong = measurements.filter((one) => errorCount(one) > 0);
  for (const { target, sessions: count, errors } of wrong) {
    process.stderr.write(`mcp-fleet: ${target}, ${count} sessions: wrong answers: ${terminalJson(errors)}\n`);
  }
  if (wrong.length > 0) process.exitCode = ExitCode.Failed;
}

function urlOf(option: string, text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? "")) return text;
  throw new FleetError(
    "CONFIG_INVALID",
    `${option}: "${text}" is no HTTP URL; give one such as http://127.0.0.1:8080/mcp`,
  );
}

/** Headers and addresses can hold keys: these are not shown. */
function commandLine(options: BenchOptions): string {
  const { url, direct, header, tool, sessions, duration, rounds, threads } = options;
  const parts = ["mcp-fleet bench", `--url ${withoutKeys(url)}`];
  if (direct !== undefined) parts.push(`--direct ${withoutKeys(direct)}`);
  for (const name of Object.keys(header)) parts.push(`--header '${name}: …'`);
  if (tool !== undefined) parts.push(`--tool ${tool}`);
  parts.push(`--sessions ${sessions.join(",")}`, `--duration ${duration}`, `--rounds ${rounds}`);
  if (threads > 1) parts.push(`--threads ${threads}`);
  return parts.join(" ");
}

const withoutKeys = (url: string): string => url.replace(/[?#].*$/s, "").replace(/^(\w+:\/\/)[^/]*@/, "$1");

function write(option: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const fix = "give a file in a folder that can be written";
    throw new FleetError("CONFIG_INVALID", `${option}: ${file} cannot be written (${messageOf(error)}); ${fix}`, {
      cause: error,
    });
  }
}
