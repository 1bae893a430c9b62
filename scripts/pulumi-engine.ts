import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { findCommand } from "../runtime/orchestrator/find-command.ts";

/** Version that is built when the machine has none; the downloaded one is of the SDK's own version, the same. */
const version = "3.259.0";
/** Oldest that runs this project (requiredPulumiVersion in Pulumi.yaml). */
const oldest = [3, 249] as const;

const kit = join(import.meta.dirname, "..", "test", "engines", "pulumi", "pulumi.sh");
const cacheHome = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
const builtRoot = join(process.env.ENGINES_HOME ?? join(cacheHome, "engines"), "pulumi");

/** A Pulumi engine that works, and where it was found. */
export interface PulumiEngine {
  readonly command: PulumiCommand;
  readonly origin: string;
}

/** No engine, and what to do about it. */
export class NoEngineError extends Error {
  constructor(reasons: readonly string[]) {
    const tried = reasons.map((reason) => `  - ${reason}`).join("\n");
    super(
      `no Pulumi engine: Pulumi ${oldest.join(".")} or newer is needed and was not found.\n${tried}\n` +
        "Three ways to get one: install Pulumi so that `pulumi` is on PATH; or let this command download it (it needs to " +
        "reach Pulumi's download host); or install Go 1.25 or newer and let this command build it once (about 10 minutes).",
    );
    this.name = "NoEngineError";
  }
}

/**
 * Finds a Pulumi engine: on PATH; else one that was built here before; else downloads it with the Automation API's
 * installer; else builds it from its pinned Go modules. Rejects with NoEngineError.
 */
export async function findEngine(progress: (line: string) => void): Promise<PulumiEngine> {
  const reasons: string[] = [];
  const onPath = await fromPath(reasons);
  if (onPath !== undefined) return onPath;
  if (existsSync(join(builtRoot, "bin", ".built"))) return fromBuild("built here before");
  try {
    progress(`downloading Pulumi ${version}`);
    return { command: await PulumiCommand.install(), origin: "downloaded" };
  } catch (error) {
    reasons.push(`it cannot be downloaded: ${firstLine(error)}`);
  }
  if (findCommand("go", process.env.PATH ?? "", process.cwd()) === undefined) {
    reasons.push("it cannot be built: `go` is not on PATH");
    throw new NoEngineError(reasons);
  }
  await build(progress);
  return fromBuild("built from Go modules");
}

async function fromPath(reasons: string[]): Promise<PulumiEngine | undefined> {
  const found = findCommand("pulumi", process.env.PATH ?? "", process.cwd());
  if (found === undefined) {
    reasons.push("`pulumi` is not on PATH");
    return undefined;
  }
  const text = execFileSync(found, ["version"], { encoding: "utf8" }).trim().replace(/^v/, "");
  const [major = 0, minor = 0] = text.split(".").map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) {
    return { command: await PulumiCommand.get({ skipVersionCheck: true }), origin: `${found}, version ${text}` };
  }
  reasons.push(`${found} is version ${text}`);
  return undefined;
}

async function fromBuild(how: string): Promise<PulumiEngine> {
  // The language hosts lie beside the engine, which looks for them on PATH.
  process.env.PATH = `${join(builtRoot, "bin")}${delimiter}${process.env.PATH ?? ""}`;
  return {
    command: await PulumiCommand.get({ root: builtRoot, skipVersionCheck: true }),
    origin: `${how}: ${builtRoot}`,
  };
}

/** Builds with the engines kit; the log lies beside what it builds. */
function build(progress: (line: string) => void): Promise<void> {
  const began = Date.now();
  const tell = () => {
    const seconds = Math.round((Date.now() - began) / 1000);
    progress(
      `building Pulumi ${version} from Go modules: ${Math.floor(seconds / 60)} min ${seconds % 60} s of about 5 to 10 min`,
    );
  };
  tell();
  const timer = setInterval(tell, 10_000);
  return new Promise<void>((resolve, reject) => {
    const child = spawn("bash", [kit, "build"], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ENGINES_HOME: dirname(builtRoot) },
    });
    let log = "";
    child.stderr.on("data", (chunk) => {
      log = (log + chunk).slice(-4000);
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new NoEngineError([`it cannot be built:\n${log.trim().split("\n").slice(-5).join("\n")}`]));
    });
  }).finally(() => clearInterval(timer));
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
}
