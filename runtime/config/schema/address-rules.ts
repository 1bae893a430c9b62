import { shownAddress } from "../shown-source.ts";
import type { ConfigPath } from "./issue.ts";
import { protocolOf } from "./names.ts";
import type { Server } from "./server.ts";

type Add = (field: ConfigPath, message: string, fix: string) => void;

const scheme = "(https?|wss?|tcp)://";
/** How addresses are written, for people. */
export const addressExamples = ["https://host/mcp", "ws://host/ws", "tcp://host:9000"];
/** An address in a file begins with a scheme, or with a reference that brings one. */
export const addressPattern = `^${scheme}|^\\$\\{[A-Za-z_]|^file:`;

const startsWithScheme = new RegExp(`^${scheme}`);
/** A file, or a variable without a default. */
const unknownStart = /^file:|^\$\{[^}:]*\}/;
const reference = /\$\{[A-Za-z_][A-Za-z0-9_]*(?::-([^}]*))?\}/g;

/** The listed addresses of a server, and where each one stands. */
export function addressesOf({ endpoints, discovery }: Pick<Server, "endpoints" | "discovery">): {
  readonly urls: readonly string[];
  /** As far as they are known before their references are resolved: with the defaults of those. Undefined: not even the scheme is. */
  readonly known: readonly (string | undefined)[];
  readonly at: (index: number) => ConfigPath;
} {
  const urls = endpoints ?? discovery?.static?.map(({ url }) => url) ?? [];
  const at = (index: number): ConfigPath =>
    endpoints === undefined ? ["discovery", "static", index, "url"] : ["endpoints", index];
  return { urls, known: urls.map(knownAddress), at };
}

function knownAddress(address: string): string | undefined {
  if (unknownStart.test(address)) return undefined;
  // A host, a port and a part of a path can all be 1.
  return address.replace(reference, (_whole, fallback?: string) => fallback ?? "1");
}

/** Each address can be reached, stands there once, and holds no user information; all speak one protocol. Addresses are shown without keys. */
export function addressRules(server: Pick<Server, "endpoints" | "discovery">, add: Add): void {
  const { urls, known, at } = addressesOf(server);
  const first = known[0] && protocolOf(known[0]);
  for (const [index, endpoint] of urls.entries()) {
    const shown = shownAddress(endpoint);
    const address = known[index];
    if (urls.indexOf(endpoint) < index) add(at(index), `is "${shown}" a second time`, "remove it, or give it a weight");
    if (address === undefined) continue;
    if (!isAddress(address)) {
      add(at(index), `is "${shown}", which is no address`, `write it like ${addressExamples.join(" or ")}`);
    } else if (first !== undefined && protocolOf(address) !== first) {
      const fix = `use one protocol (the first endpoint says ${first}), or make a server of its own of it`;
      add(at(index), `is ${shown}, which speaks another protocol than the first`, fix);
    }
  }
  userInformationRule(server, add);
}

const isAddress = (text: string): boolean =>
  startsWithScheme.test(text) && URL.canParse(text) && (!text.startsWith("tcp:") || new URL(text).port !== "");

/** No address holds `user:password@`: references can bring one. */
export function userInformationRule(server: Pick<Server, "endpoints" | "discovery">, add: Add): void {
  const { urls, at } = addressesOf(server);
  for (const [index, endpoint] of urls.entries()) {
    if (!holdsUser(endpoint)) continue;
    const fix =
      "remove what stands before the @, and set credentials.header to { scheme: Basic, value: ${NAME} } with the Base64 of user:password";
    add(at(index), `is "${shownAddress(endpoint)}" with a user or password in it, which is not sent`, fix);
  }
}

/** Does an address hold user information (RFC 3986, 3.2.1)? */
export const holdsUser = (address: string): boolean => /^[a-z][a-z0-9+.-]*:\/*[^/?#]*@/i.test(address);
