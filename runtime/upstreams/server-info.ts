import type { ServerDescription } from "./upstream-session.ts";

type ServerInfo = ServerDescription["serverInfo"];

/** Characters of `serverInfo` as JSON: each result to a client of the stateless era repeats it. Icons fit as URLs. */
const maxLength = 4096;
/** Characters of a name and of a version that are kept of a longer one. */
const maxText = 256;

/** What a server calls itself; of more than `maxLength` characters only the name and the version, cut. `fleet` names one that is silent. */
export function serverInfoOf(said: ServerInfo | null | undefined, fleet: string): ServerInfo {
  if (said === undefined || said === null) return { name: fleet, version: "unknown" };
  if (JSON.stringify(said).length <= maxLength) return said;
  const { name, version } = said;
  return { name: String(name).slice(0, maxText), version: String(version).slice(0, maxText) };
}
