import Type from "typebox";
import { issueText, validateAgainst } from "../../runtime/config/schema/index.ts";
import { closed, labels, open, port, text } from "../block-parts.ts";
import { knownPart } from "../known-part.ts";
import { tagProblems } from "../systemd/rules.ts";
import type { MonitoringStackArgs } from "./args.ts";

const hostPath = Type.String({ pattern: "^/[^:\\r\\n]*$" });
const program = Type.Object(
  {
    ...{ program: open(hostPath), port: open(port) },
    cpuMillicores: open(Type.Integer({ minimum: 10, maximum: 256_000 })),
    memoryMiB: open(Type.Integer({ minimum: 32, maximum: 1_048_576 })),
  },
  closed,
);
const blocks = Type.Object(
  {
    tags: open(labels),
    systemd: open(
      Type.Object(
        {
          ...{ unitDirectory: open(hostPath), token: open(text), tokenFile: open(hostPath), host: open(text) },
          ...{
            retentionDays: open(Type.Integer({ minimum: 1 })),
            prometheus: open(program),
            alertmanager: open(program),
          },
        },
        closed,
      ),
    ),
  },
  closed,
);

/** Every mistake in a stack's arguments for this platform: field, value, fix. */
export function systemdProblems(name: string, { tags, systemd = {} }: MonitoringStackArgs): string[] {
  const problems = validateAgainst(blocks, knownPart({ tags, systemd })).map(issueText);
  if (problems.length > 0) return problems;
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(name)) {
    const fix = "use letters, digits, hyphens, dots and underscores, at most 100 characters";
    problems.push(`the name "${name}" becomes that of a unit; ${fix}`);
  }
  if (systemd.token !== undefined && systemd.tokenFile !== undefined) {
    problems.push("systemd.tokenFile stands beside systemd.token; keep one place that the token comes from");
  }
  return [...problems, ...tagProblems(tags)];
}
