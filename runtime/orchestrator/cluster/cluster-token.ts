import { readFileSync } from "node:fs";
import { FleetError, messageOf } from "../../errors.ts";

const variable = "MCP_FLEET_COORDINATOR_TOKEN";

/** Where a cluster's token comes from; a file wins over the variable. */
export interface TokenSource {
  /** File with the token. Defaults to what MCP_FLEET_COORDINATOR_TOKEN_FILE names. */
  readonly tokenFile?: string | undefined;
}

/**
 * The token that a coordinator and its nodes share: from a file or from MCP_FLEET_COORDINATOR_TOKEN, never from the
 * command line, which every process of the machine can read. Throws CONFIG_INVALID without one.
 */
export function clusterToken({ tokenFile }: TokenSource = {}, env = process.env): string {
  const file = tokenFile ?? env[`${variable}_FILE`];
  const token = file === undefined ? env[variable] : contentOf(file);
  if (token !== undefined && token !== "") return token;
  const fix = `put it into a file and name that with --token-file or ${variable}_FILE, or set ${variable}`;
  throw new FleetError("CONFIG_INVALID", `the cluster's token is missing; ${fix}`);
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new FleetError("CONFIG_INVALID", `the cluster's token file ${file} cannot be read (${messageOf(error)})`);
  }
}
