import type { IncomingMessage } from "node:http";
import { FleetError } from "../errors.ts";

const json = "application/json";

/**
 * Refuses a body that is not said to be plain JSON: pages can send `text/plain` and forms to any address without asking first
 * (Fetch standard, "CORS-safelisted request-header"). Throws MEDIA_TYPE.
 */
export function checkJson({ headers }: IncomingMessage): void {
  const type = headers["content-type"];
  if (type !== json && essenceOf(type) !== json) {
    throw new FleetError("MEDIA_TYPE", "Unsupported media type: send Content-Type: application/json");
  }
  const coding = headers["content-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "identity") {
    throw new FleetError("MEDIA_TYPE", "Unsupported media type: MCP messages are sent without Content-Encoding");
  }
}

/** Does a client take answers of a media type (RFC 9110, section 12.5.1)? One that does not say takes all. */
export function accepts({ headers }: IncomingMessage, type: string): boolean {
  const { accept } = headers;
  if (accept === undefined || accept.includes(type) || accept.includes("*/*")) return true;
  const lower = accept.toLowerCase();
  return lower.includes(type) || lower.includes(`${type.slice(0, type.indexOf("/"))}/*`);
}

/** Types are written in any case, and parameters follow them (RFC 9110, section 8.3.1). */
function essenceOf(type = ""): string {
  const semicolon = type.indexOf(";");
  return (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase();
}
