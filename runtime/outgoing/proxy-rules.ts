import { BlockList, isIP } from "node:net";
import { FleetError } from "../errors.ts";
import { bareHost } from "../host-name.ts";

/** The variables that name proxies, as other programs read them too; the lower-case one of a pair counts. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

const defaultPorts = new Map([
  ["http:", "80"],
  ["ws:", "80"],
  ["https:", "443"],
  ["wss:", "443"],
]);

/** The proxy for connections to a URL, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY; undefined for none. Throws CONFIG_INVALID. */
export function proxyFor(url: URL, variables: ProxyVariables = process.env): URL | undefined {
  const { protocol, hostname } = url;
  const name = protocol === "https:" || protocol === "wss:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const said = variable(name, variables);
  if (said === undefined) return undefined;
  const host = bareHost(hostname).toLowerCase();
  if (isOwnMachine(host)) return undefined;
  const port = url.port || defaultPorts.get(protocol);
  const exempt = (variable("NO_PROXY", variables) ?? "").split(/[\s,]+/).some((entry) => fits(entry, host, port));
  return exempt ? undefined : proxyOf(name, said);
}

/** Does any variable name a proxy? */
export const hasProxy = (variables: ProxyVariables = process.env): boolean =>
  variable("HTTP_PROXY", variables) !== undefined || variable("HTTPS_PROXY", variables) !== undefined;

/** What is on this machine is behind no proxy, whatever NO_PROXY says. */
const isOwnMachine = (host: string): boolean =>
  host === "localhost" || host.endsWith(".localhost") || /^(127\.|0\.0\.0\.0$|::1?$|::ffff:7f)/.test(host);

function variable(name: string, variables: ProxyVariables): string | undefined {
  const value = variables[name.toLowerCase()] || variables[name];
  return value === undefined || value.trim() === "" ? undefined : value.trim();
}

function proxyOf(name: string, said: string): URL {
  const text = said.includes("://") ? said : `http://${said}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy !== undefined && /^https?:$/.test(proxy.protocol) && proxy.hostname !== "") return proxy;
  // The value can hold a password.
  const fix = "give it as http://host:port or https://host:port, with user:password@ where the proxy wants them";
  throw new FleetError("CONFIG_INVALID", `${name}: is no URL of an HTTP proxy; ${fix}`);
}

/** One entry of NO_PROXY: `*`, a name with all below it, an address, a range of addresses; a port may follow. */
function fits(entry: string, host: string, port: string | undefined): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  const [, bare = entry, only] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  if (only !== undefined && only !== port) return false;
  const name = bareHost(bare).toLowerCase();
  const [, network, bits] = /^(.+)\/(\d{1,3})$/.exec(name) ?? [];
  if (network !== undefined) return isWithin(host, network, Number(bits));
  const domain = name.replace(/^\*?\./, "");
  return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function isWithin(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const kind = family === 4 ? "ipv4" : "ipv6";
  const range = new BlockList();
  range.addSubnet(network, bits, kind);
  return range.check(host, kind);
}
