import { bracketed } from "../host-name.ts";

/** An address to listen on, as clients on this machine write it in a URL. */
export function hostInUrl(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return bracketed(host);
}
