import { shownAddress } from "../shown-source.ts";
import type { ConfigPath } from "./issue.ts";
import type { Server } from "./server.ts";

type Add = (field: ConfigPath, message: string, fix: string) => void;

/** The listed addresses of a server, and where each one stands. */
export function addressesOf({ endpoints, discovery }: Pick<Server, "endpoints" | "discovery">): {
  readonly urls: readonly string[];
  readonly at: (index: number) => ConfigPath;
} {
  const urls = endpoints ?? discovery?.static?.map(({ url }) => url) ?? [];
  const at = (index: number): ConfigPath =>
    endpoints === undefined ? ["discovery", "static", index, "url"] : ["endpoints", index];
  return { urls, at };
}

/** Each address can be reached, stands there once, and holds no user information. Addresses are shown without keys. */
export function addressRules(server: Pick<Server, "endpoints" | "discovery">, add: Add): void {
  const { urls, at } = addressesOf(server);
  for (const [index, endpoint] of urls.entries()) {
    const shown = shownAddress(endpoint);
    const sound = URL.canParse(endpoint) && (!endpoint.startsWith("tcp:") || new URL(endpoint).port !== "");
    if (!sound) add(at(index), `is "${shown}", which is no address`, "write it like tcp://host:9000");
    if (urls.indexOf(endpoint) < index) add(at(index), `is "${shown}" a second time`, "remove it, or give it a weight");
  }
  userInformationRule(server, add);
}

/** No address holds `user:password@`: also a rule for resolved references, which can bring one. */
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
