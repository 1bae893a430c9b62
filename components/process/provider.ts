import type * as pulumi from "@pulumi/pulumi";
import type { PlatformResponse } from "../../runtime/config/schema/index.ts";

// Pulumi keeps the text of these functions in the state and runs it in a process of its own, where `require` is there
// and this module's imports are not. A changed text replaces the resources, so it stays small: it only runs the
// `mcp-fleet` command, where everything happens.
declare const require: (name: string) => typeof import("node:child_process");

type Properties = Record<string, unknown>;

/** What Pulumi writes in place of a value that a preview cannot know. */
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Is something in these inputs not known yet? The provider's own text, which names the mark, does not count. */
function isUnknown({ __provider, ...inputs }: Properties): boolean {
  return JSON.stringify(inputs).includes(unknownValue);
}

function operate(
  kind: string,
  operation: string,
  request: { inputs?: Properties; olds?: Properties },
): Promise<Answer> {
  const { execFile } = require("node:child_process");
  const { node, entry } = { ...request.olds, ...request.inputs }.command as { node: string; entry: string };
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
    child.stdin?.end(JSON.stringify(request));
  });
}
type Answer = Extract<PlatformResponse<Properties>, { ok: true }>;

/** The dynamic provider of one kind of resource of the platforms `process` and `systemd`. */
export function processProvider(kind: "fleet" | "gateway" | "files" | "units"): pulumi.dynamic.ResourceProvider {
  return {
    async check(_olds, news) {
      if (isUnknown(news)) return { inputs: news };
      const { failures } = await operate(kind, "check", { inputs: news });
      return failures === undefined ? { inputs: news } : { inputs: news, failures };
    },
    async diff(_id, olds, news) {
      if (isUnknown(news)) return { changes: true };
      const { changes, replaces } = await operate(kind, "diff", { inputs: news, olds });
      const [before, now] = [olds.command, news.command] as [
        { node: string; entry: string },
        { node: string; entry: string },
      ];
      const moved = before.node !== now.node || before.entry !== now.entry;
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
