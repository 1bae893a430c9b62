import { BlockList, isIP, isIPv4 } from "node:net";
import { bareHost } from "../../host-name.ts";

/** How far away an address is: this machine, its link, a private network, everywhere. A larger one is farther. */
export const Scope = { Loopback: 0, Link: 1, Private: 2, Public: 3 } as const;
export type Scope = (typeof Scope)[keyof typeof Scope];

const ranges = (...subnets: readonly (readonly [network: string, prefix: number])[]): BlockList => {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, isIPv4(network) ? "ipv4" : "ipv6");
  return list;
};

/** Special-purpose addresses (RFC 6890 and the IANA registries), nearest first. */
const scopes: readonly (readonly [Scope, BlockList])[] = [
  [Scope.Loopback, ranges(["127.0.0.0", 8], ["0.0.0.0", 8], ["::1", 128], ["::", 128])],
  [Scope.Link, ranges(["169.254.0.0", 16], ["224.0.0.0", 3], ["fe80::", 10], ["ff00::", 8])],
  [
    Scope.Private,
    ranges(["10.0.0.0", 8], ["172.16.0.0", 12], ["192.168.0.0", 16], ["100.64.0.0", 10], ["198.18.0.0", 15]),
  ],
  [Scope.Private, ranges(["fc00::", 7], ["fec0::", 10])],
];
/** IPv6 addresses that stand for one of IPv4: mapped, and translated (RFC 4291, 2.5.5.2; RFC 6052). */
const embedded = ranges(["::ffff:0:0", 96], ["64:ff9b::", 96], ["::", 96]);

/** The scope of an IP address. */
export function scopeOf(address: string): Scope {
  const plain = address.replace(/%.*$/, "");
  const family = isIPv4(plain) ? "ipv4" : "ipv6";
  const found = scopes.find(([, list]) => list.check(plain, family));
  if (found !== undefined) return found[0];
  return family === "ipv6" && embedded.check(plain, family) ? scopeOf(lastFour(plain)) : Scope.Public;
}

/** The nearest of several addresses decides; of none, everywhere. */
export const nearest = (addresses: readonly string[]): Scope =>
  Math.min(Scope.Public, ...addresses.map(scopeOf)) as Scope;

/** The address itself where a host is one; undefined for a name. */
export function literal(hostname: string): string | undefined {
  const host = bareHost(hostname);
  return isIP(host) === 0 ? undefined : host;
}

/** The last 32 bits as an IPv4 address; `URL` writes every IPv6 address in its shortest form. */
function lastFour(address: string): string {
  const text = bareHost(new URL(`http://[${address}]/`).hostname);
  const words = text.split(":").slice(-2);
  const bits = words.map((word) => Number.parseInt(word === "" ? "0" : word, 16));
  return bits.flatMap((word) => [word >> 8, word & 0xff]).join(".");
}
