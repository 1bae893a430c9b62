import { bracketed } from "../../runtime/host-name.ts";
import { defaults as shared } from "../defaults.ts";
import { systemdDefaults as defaults } from "./defaults.ts";
import { credentials, tagLines } from "./fleet-units.ts";
import { bounds, hardening, lifecycle, patience } from "./hardening.ts";
import { ownCredentials } from "./names.ts";
import { commandLine, literal, unitText, variable } from "./unit-text.ts";

/** Credential with a gateway's configuration: what it has read stays as it is until it is started anew. */
export const configCredential = `${ownCredentials}config.json`;

/** What the units of a gateway are made of, everything known. */
export interface GatewayWorkload {
  readonly unit: string;
  readonly name: string;
  readonly program: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly drainMs: number;
  /** Names of secrets in the component's folder. */
  readonly secrets: readonly string[];
  /** Files of other folders that are credentials too: those of the user, and the tokens of fleets. */
  readonly secretFiles: Readonly<Record<string, string>>;
  readonly cpuMillicores: number;
  readonly memoryMiB: number;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * A gateway's service and its socket, each with a drop-in that holds what the stack says. The service manager listens: while the
 * service is started anew, connections wait, and nobody is refused.
 */
export function gatewayUnits(workload: GatewayWorkload): Record<string, string> {
  const { unit, name, host, port, program, secrets, secretFiles, tags } = workload;
  const { cpuMillicores, memoryMiB, drainMs } = workload;
  const service = unitText({
    Unit: [
      ["Description", `MCP gateway ${literal(name)}`],
      ...patience,
      ["Requires", `${unit}.socket`],
      ["After", `${unit}.socket`],
    ],
    Service: [
      ...hardening,
      ...lifecycle,
      ["StateDirectory", unit],
      ["StateDirectoryMode", "0700"],
      ["BindPaths", `%S/${unit}:${defaults.stateFolder}`],
    ],
    Install: [["WantedBy", "multi-user.target"]],
  });
  const config = `${shared.secretsFolder}/${configCredential}`;
  const serviceDropIn = unitText({
    Service: [
      ["Type", "notify"],
      ["NotifyAccess", "all"],
      ["ExecStart", commandLine([...program, "serve", "--config", config, "--state", defaults.stateFolder])],
      variable("MCP_FLEET_CACHE", defaults.packageCache),
      ...credentials(unit, [configCredential, ...secrets], secretFiles),
      ...bounds(cpuMillicores, memoryMiB, drainMs),
    ],
    "X-Tags": tagLines(tags),
  });
  const socket = unitText({
    Unit: [["Description", `Port of the MCP gateway ${literal(name)}`]],
    Install: [["WantedBy", "sockets.target"]],
  });
  const address = `${bracketed(host)}:${port}`;
  const socketDropIn = unitText({ Socket: [["ListenStream", address]], "X-Tags": tagLines(tags) });
  return {
    [`${unit}.service`]: service,
    [`${unit}.service.d/50-stack.conf`]: serviceDropIn,
    [`${unit}.socket`]: socket,
    [`${unit}.socket.d/50-stack.conf`]: socketDropIn,
  };
}

/** Its units in the order in which they are started. */
export const gatewayInstances = (unit: string): string[] => [`${unit}.socket`, `${unit}.service`];
