import Type from "typebox";
import { issueText, validateAgainst } from "../../runtime/config/schema/index.ts";
import { closed, labels, open, port, text } from "../block-parts.ts";
import { knownPart } from "../known-part.ts";
import type { MonitoringStackArgs } from "./args.ts";

const program = {
  image: open(text),
  port: open(port),
  cpuMillicores: open(Type.Integer({ minimum: 10, maximum: 256_000 })),
  memoryMiB: open(Type.Integer({ minimum: 32, maximum: 1_048_576 })),
};
const blocks = Type.Object(
  {
    tags: open(labels),
    docker: open(
      Type.Object(
        {
          ...{
            token: open(text),
            tokenFile: open(Type.String({ pattern: "^/" })),
            network: open(text),
            host: open(text),
          },
          retentionDays: open(Type.Integer({ minimum: 1 })),
          prometheus: open(Type.Object(program, closed)),
          alertmanager: open(Type.Object(program, closed)),
          grafana: open(Type.Object({ ...program, adminPassword: open(text) }, closed)),
          runtime: open(text),
          logMaxMiB: open(Type.Integer({ minimum: 1 })),
          logMaxFiles: open(Type.Integer({ minimum: 1, maximum: 1000 })),
        },
        closed,
      ),
    ),
  },
  closed,
);

/** Every mistake in a stack's arguments for this platform: field, value, fix. */
export function dockerProblems({ tags, docker = {} }: MonitoringStackArgs): string[] {
  const problems = validateAgainst(blocks, knownPart({ tags, docker })).map(issueText);
  if (problems.length > 0) return problems;
  const { token, tokenFile, grafana } = docker;
  if (token === undefined && tokenFile === undefined) {
    const why = "a gateway on Docker answers nobody without one";
    problems.push(`docker.token is missing, and ${why}; give a token of the gateway's auth, or docker.tokenFile`);
  }
  if (token !== undefined && tokenFile !== undefined) {
    problems.push("docker.tokenFile stands beside docker.token; keep one place that the token comes from");
  }
  if (grafana !== undefined && grafana.adminPassword === undefined) {
    problems.push("docker.grafana.adminPassword is missing; give the password of its user admin");
  }
  return problems;
}
