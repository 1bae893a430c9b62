import { createHash } from "node:crypto";
import { systemdDefaults as defaults } from "./defaults.ts";

/** Begins the names of credentials that the platform itself makes; secrets of users begin otherwise. */
export const ownCredentials = "mcp-fleet.";

/** What a component's units are called on a machine where all stacks share one set of names. `scope` is the project's and the stack's name. */
export const unitName = (scope: string, role: "fleet" | "gateway" | "monitoring", name: string): string =>
  `${scope}-${role}-${name}`;

/** Folder of what only root, and by credential the component's services, may read. */
export const folderOf = (unit: string): string => `${defaults.configDirectory}/${unit}`;

/**
 * A fleet's own loopback address, so that fleets need not share out ports: all of 127.0.0.0/8 is this machine (RFC 1122, 3.2.1.3). Made
 * of a digest of the unit's name, out of four million.
 */
export function loopbackAddress(unit: string): string {
  const [first, second, third] = createHash("sha256").update(unit).digest() as unknown as [number, number, number];
  return `127.${64 + (first % 64)}.${second}.${1 + (third % 254)}`;
}
