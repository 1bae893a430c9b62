import { BlockList, isIP } from "node:net";
import { isLoopback } from "../../config/schema/index.ts";
import { bareHost } from "../../host-name.ts";

const longest = 256;
/** Addresses that belong to one link, such as a cloud's metadata service (RFC 3927, RFC 4291), and to nobody. */
const refused = new BlockList();
refused.addSubnet("169.254.0.0", 16);
refused.addSubnet("0.0.0.0", 8);
refused.addSubnet("224.0.0.0", 3);
refused.addSubnet("fe80::", 10, "ipv6");
refused.addSubnet("ff00::", 8, "ipv6");
refused.addAddress("::", "ipv6");
// AWS reaches its metadata service here, too.
refused.addAddress("fd00:ec2::254", "ipv6");

/**
 * Checks where a node says that others reach it; the text of what is wrong, or undefined. Calls carry arguments and a
 * token, so beyond loopback it must be https.
 */
export function wrongNodeUrl(text: string): string | undefined {
  if (text.length > longest) return `"url" must have at most ${longest} characters`;
  if (!URL.canParse(text)) return '"url" must be an http(s) URL or null';
  const { protocol, username, password, hostname, search, hash } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") return '"url" must be an http(s) URL or null';
  if (username !== "" || password !== "") return '"url" must not hold credentials; nodes have tokens for each other';
  if (search !== "" || hash !== "") return '"url" must be a base URL, without a query and a fragment';
  const address = bareHost(hostname);
  const family = isIP(address);
  if (family !== 0 && refused.check(address, family === 4 ? "ipv4" : "ipv6"))
    return `"url" must not be the link-local or unspecified address ${address}`;
  if (protocol === "http:" && !isLoopback(address) && !address.startsWith("127."))
    return '"url" must be https beyond this machine; give the node a certificate (listen.tls), or put a proxy before it';
  return undefined;
}
