import { isIP } from "node:net";
import type { Gateway } from "./gateway.ts";
import type { ConfigPath } from "./issue.ts";

type Add = (field: ConfigPath, message: string, fix: string) => void;

/** What JSON Schema cannot say well of TLS, CORS and connections. */
export function protectionRules(
  { auth, tls, cors, connections }: Pick<Gateway, "auth" | "tls" | "cors" | "connections">,
  add: Add,
): void {
  if (auth?.clientCertificates !== undefined && tls?.clientCaFile === undefined) {
    const fix = "add tls.clientCaFile with the authorities of client certificates";
    add(["auth", "clientCertificates"], "needs certificates that TLS has verified", fix);
  }
  if (tls?.requireClientCert === true && tls.clientCaFile === undefined) {
    add(["tls", "requireClientCert"], "has no authority to verify certificates with", "add tls.clientCaFile");
  }
  for (const [index, origin] of (cors?.origins ?? []).entries()) {
    if (URL.canParse(origin) && new URL(origin).origin === origin.toLowerCase()) continue;
    const fix = origin === "*" ? "name each origin: any page could call" : "write it like https://app.example.org";
    add(["cors", "origins", index], `is "${origin}", which is no origin`, fix);
  }
  for (const [index, proxy] of (connections?.trustedProxies ?? []).entries()) {
    if (isNetwork(proxy)) continue;
    const fix = "write an address, or a network like 10.0.0.0/8";
    add(["connections", "trustedProxies", index], `is "${proxy}", which is no address`, fix);
  }
  if (connections?.proxyProtocol === true && (connections.trustedProxies ?? []).length === 0) {
    const fix = "name the proxies in connections.trustedProxies";
    add(["connections", "proxyProtocol"], "has no proxy whose word is believed", fix);
  }
}

function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
