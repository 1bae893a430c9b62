import { shownAddress } from "../shown-source.ts";
import type { ConfigPath } from "./issue.ts";
import type { Server } from "./server.ts";

type Add = (field: ConfigPath, message: string, fix: string) => void;

/** What JSON Schema cannot say of TLS towards a server. `urls` are its addresses, as far as they are listed and known. */
export function upstreamTlsRules(
  { tls, endpoints, discovery, protocol }: Server,
  urls: readonly (string | undefined)[],
  add: Add,
): void {
  if (tls === undefined) return;
  const { certFile, keyFile } = tls;
  if (Object.keys(tls).length === 0) add(["tls"], "is empty", "add caFile, certFile and keyFile, or serverName");
  if (certFile !== undefined && keyFile === undefined) add(["tls", "keyFile"], "is missing beside certFile", "add it");
  if (keyFile !== undefined && certFile === undefined) add(["tls", "certFile"], "is missing beside keyFile", "add it");
  const plain = urls.find((url) => url !== undefined && !/^(https|wss):/.test(url));
  if ((endpoints ?? discovery) === undefined) {
    add(["tls"], "is set for a server that is reached over stdio", "remove it");
  } else if (plain !== undefined) {
    add(["tls"], `stands beside ${shownAddress(plain)}, which has no TLS`, "write https:// or wss://, or remove tls");
  } else if (protocol === "tcp") {
    add(["tls"], "stands beside protocol tcp, which has no TLS", "use http or ws, or remove tls");
  }
}
