import type * as pulumi from "@pulumi/pulumi";
import type { PlatformResponse } from "../../runtime/config/schema/index.ts";

// Pulumi keeps the text of these functions in the state and runs it in a process of its own, where `require` is there
// and this module's imports are not. A changed text is an update of every resource, so it stays small: it only runs the
// `mcp-fleet` command, where everything happens.
declare const require: <T>(name: string) => T;

type Properties = Record<string, unknown> & { readonly __provider?: string };

/** As `command.ts` has it; nothing of this package is there where these functions run. */
interface FleetCommand {
  readonly node: string;
  readonly entry: string;
}

/** What Pulumi writes in place of a value that a preview cannot know. */
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Is something in these inputs not known yet? The provider's own text, which names the mark, does not count. */
function isUnknown({ __provider, ...inputs }: Properties): boolean {
  return JSON.stringify(inputs).includes(unknownValue);
}

/**
 * The recorded command, or where its file has gone (moved, upgraded, removed by a version manager) that of the package
 * which is installed for the program now.
 */
function commandOf(recorded: FleetCommand): FleetCommand {
  const { existsSync, readFileSync } = require<typeof import("node:fs")>("node:fs");
  const { dirname, join } = require<typeof import("node:path")>("node:path");
  const node = existsSync(recorded.node) ? recorded.node : process.execPath;
  if (existsSync(recorded.entry)) return { node, entry: recorded.entry };
  const isPackage = (folder: string) => {
    const file = join(folder, "package.json");
    return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).name === "mcp-fleet";
  };
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    for (const root of [folder, join(folder, "node_modules", "mcp-fleet")].filter(isPackage)) {
      const files = [join(root, "dist", "runtime", "cli", "main.js"), join(root, "runtime", "cli", "main.ts")];
      const entry = files.find((file) => existsSync(file));
      if (entry !== undefined) return { node, entry };
    }
    if (folder === dirname(folder)) break;
  }
  const fix = "install mcp-fleet there (npm install mcp-fleet)";
  const where = `nor is one installed for ${process.cwd()}`;
  throw new Error(`the mcp-fleet command of this resource, ${recorded.entry}, is not there any more, ${where}; ${fix}`);
}

async function operate(
  kind: string,
  operation: string,
  request: { inputs?: Properties; olds?: Properties },
): Promise<Answer> {
  const { execFile } = require<typeof import("node:child_process")>("node:child_process");
  const { node, entry } = commandOf({ ...request.olds, ...request.inputs }.command as FleetCommand);
  return new Promise((resolve, reject) => {
    const child = execFile(
      node,
      [entry, "platform", kind, operation],
      { maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        let answer: PlatformResponse<Properties> | undefined;
        try {
          answer = JSON.parse(stdout);
        } catch {
          answer = undefined;
        }
        if (answer?.ok) resolve(answer);
        else {
          const failure = new Error(
            answer?.message ?? (stderr.trim() || error?.message || "the mcp-fleet command said nothing"),
          );
          failure.stack = undefined;
          reject(failure);
        }
      },
    );
    // The engine shows what a plugin writes there.
    if (kind === "rollout") child.stderr?.pipe(process.stderr);
    child.stdin?.end(JSON.stringify(request));
  });
}
type Answer = Extract<PlatformResponse<Properties>, { ok: true }>;

/** The dynamic provider of one kind of resource of the platforms `process` and `systemd`. */
export function processProvider(kind: "fleet" | "gateway" | "files" | "units"): pulumi.dynamic.ResourceProvider {
  return {
    async check(olds, news) {
      if (isUnknown(news)) return { inputs: news };
      const { failures } = await operate(kind, "check", { inputs: news, olds });
      return failures === undefined ? { inputs: news } : { inputs: news, failures };
    },
    async diff(_id, olds, news) {
      if (isUnknown(news)) return { changes: true };
      const { changes, replaces } = await operate(kind, "diff", { inputs: news, olds });
      const [before, now] = [olds.command, news.command] as [FleetCommand, FleetCommand];
      // What is in the state is what deletes the resource later.
      const moved = before.node !== now.node || before.entry !== now.entry || olds.__provider !== news.__provider;
      return { changes: changes || moved, replaces: replaces ?? [], deleteBeforeReplace: true };
    },
    async create(inputs) {
      const { id, outs } = await operate(kind, "create", { inputs });
      return { id: id as string, outs: outs as Properties };
    },
    async update(_id, olds, news) {
      const { outs } = await operate(kind, "update", { inputs: news, olds });
      return { outs: outs as Properties };
    },
    async delete(_id, props) {
      await operate(kind, "delete", { olds: props });
    },
    async read(_id, props) {
      const { id, outs } = await operate(kind, "read", { olds: props });
      return { id: id as string, props: outs as Properties };
    },
  };
}

/** Makes a rollout, or says that it failed: then it is in the state all the same, so that the next update asks again. */
async function rollOut(operation: "create" | "update", request: { inputs: Properties; olds?: Properties }) {
  const { id, outs, failure } = await operate("rollout", operation, request);
  if (failure === undefined) return { id: id as string, outs: outs as Properties };
  const properties = { ...outs, __provider: request.inputs.__provider };
  throw Object.assign(new Error(failure), { stack: undefined, id, properties, reasons: [failure] });
}

/** The dynamic provider of a Deployment's rollout on the platform `kubernetes`: nothing is asked while nothing has changed. */
export function rolloutProvider(): pulumi.dynamic.ResourceProvider {
  return {
    async check(olds, news) {
      // What cannot be asked now is told by the update.
      if (news.kinds !== undefined) await operate("rollout", "check", { inputs: news, olds }).catch(() => {});
      return { inputs: news };
    },
    async diff(_id, olds, news) {
      if (isUnknown(news)) return { changes: true };
      const same = ["namespace", "name", "uid", "revision"].every((key) => olds[key] === news[key]);
      // What a refresh has found otherwise is waited for again.
      return { changes: !same || olds.status !== "running" };
    },
    create: (inputs) => rollOut("create", { inputs }),
    update: (_id, olds, news) => rollOut("update", { inputs: news, olds }),
    async read(_id, props) {
      const { id, outs } = await operate("rollout", "read", { olds: props });
      return { id: id as string, props: outs as Properties };
    },
  };
}
