import { InvalidArgumentError, Option } from "commander";
import type { ResolvedGateway } from "../config/index.ts";
import { isLoopback } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";

/** Options of the commands that listen, about who can reach them. */
export interface ExposureOptions {
  /** Callers need no token although other machines reach the address. */
  readonly allowAnonymous?: boolean;
  /** `Host` header names accepted besides loopback ones and addresses. */
  readonly allowedHost?: readonly string[];
}

export const exposureOptions = (): Option[] => [
  // Not commander's own way with variables, which takes "false" for a yes.
  new Option(
    "--allow-anonymous",
    "listen beyond loopback without authentication, where only trusted peers come in; MCP_FLEET_ALLOW_ANONYMOUS=true",
  ).default(process.env.MCP_FLEET_ALLOW_ANONYMOUS === "true"),
  new Option("--allowed-host <names>", "names that clients call this machine by, with commas between them")
    .argParser((text: string) => text.split(","))
    .env("MCP_FLEET_ALLOWED_HOSTS"),
];

/** Safe by default: throws ADDRESS_NEEDS_AUTH for an address that strangers reach. */
export function checkExposure({ host, auth }: ResolvedGateway, { allowAnonymous = false }: ExposureOptions): void {
  if (auth !== undefined || allowAnonymous || isLoopback(host)) return;
  const fix =
    "ask for a token, or say --allow-anonymous (MCP_FLEET_ALLOW_ANONYMOUS=true) where only trusted peers come in";
  throw new FleetError(
    "ADDRESS_NEEDS_AUTH",
    `--host: ${host} is reached by other machines, without authentication; ${fix}`,
  );
}

/** A time of the command line. */
export function seconds(text: string): number {
  const value = Number(text);
  if (value >= 1 && value <= 3600) return value;
  throw new InvalidArgumentError(`"${text}" is no such time; give seconds from 1 to 3600.`);
}

/** A duration of the command line. */
export function milliseconds(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 86_400_000) return value;
  throw new InvalidArgumentError(`"${text}" is no such time; give milliseconds from 0 to 86400000.`);
}

/** A port of the command line. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError(`"${text}" is no port; give a whole number from 0 to 65535.`);
}
