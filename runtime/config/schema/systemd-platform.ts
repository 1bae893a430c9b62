import type { Server } from "./server.ts";

/** What the `systemd` platform's Pulumi resource sends to `mcp-fleet platform units <operation>`, as in `process-platform.ts`. */
export interface SystemdUnitsInputs {
  /** Folder of the service manager in which the units are written. */
  unitDirectory: string;
  /** Unit files and drop-ins by their path in that folder: `notes@.service`, `notes@.service.d/50-stack.conf`. */
  units: Record<string, string>;
  /** Folder of this component that only root can enter: what its services are given as credentials. */
  folder: string;
  /** Files in it by name. */
  files: Record<string, string>;
  /** Files in it that are made once, each with a random token. */
  tokens: string[];
  /** Units that run, in the order in which they are started, and one after the other restarted. */
  instances: string[];
  /** Address, `host:port`, that a unit listens at once it serves, for programs that do not tell the service manager. */
  addresses: Record<string, string>;
  /** Files that services must be able to read: the program that they run. */
  programs: string[];
  /** The preset whose package is installed before, where all services can read it. */
  preset?: Pick<Server, "type" | "version">;
  /** Where the instances come from, if no preset says it. */
  source: string;
}

export interface SystemdUnitsOutputs extends SystemdUnitsInputs {
  /** `running`, or `stopped` when a refresh found one of the units so. */
  status: string;
}
