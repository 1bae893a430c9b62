import { isIPv6 } from "node:net";

const groupBits = 16;

/**
 * Whom an address belongs to, as far as failures and waiting are counted: an IPv4 address; of IPv6 the /64, which is what one
 * machine is given (RFC 4291, section 2.5.1). Written one way whatever the text was; IPv4 inside IPv6 (RFC 4291, section 2.5.5.2) and
 * behind a translator (64:ff9b::/96, RFC 6052) is IPv4. Any other text stays as it is.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const groups = groupsOf(address);
  if (groups === undefined) return address;
  const embedded = embeddedIPv4(groups);
  if (embedded !== undefined) return embedded;
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** One spelling of an address: IPv4 inside IPv6 as IPv4, as IPv6 sockets mean it; without a zone. Any other text stays as it is. */
export function plainAddress(address: string): string {
  if (!address.includes(":")) return address;
  const groups = groupsOf(address);
  if (groups === undefined) return address;
  return embeddedIPv4(groups) ?? groups.map((group) => group.toString(16)).join(":");
}

/** The address in an entry of `X-Forwarded-For`, where some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
export function withoutPort(hop: string): string {
  if (hop.startsWith("[")) return hop.slice(1, hop.indexOf("]"));
  const colon = hop.indexOf(":");
  return colon > 0 && colon === hop.lastIndexOf(":") ? hop.slice(0, colon) : hop;
}

/** The eight groups of an IPv6 address; undefined for what is none. */
function groupsOf(address: string): number[] | undefined {
  const zone = address.indexOf("%");
  const text = zone < 0 ? address : address.slice(0, zone);
  if (!isIPv6(text)) return undefined;
  const [before = "", after] = text.split("::");
  const head = parts(before);
  const tail = parts(after ?? "");
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function parts(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((part) => {
    if (!part.includes(".")) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function embeddedIPv4(groups: readonly number[]): string | undefined {
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  const translated = groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  if (!mapped && !translated) return undefined;
  const [high, low] = groups.slice(6) as [number, number];
  const bits = groupBits / 2;
  return [high >> bits, high & 0xff, low >> bits, low & 0xff].join(".");
}
