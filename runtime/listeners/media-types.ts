import type { IncomingMessage } from "node:http";
import { FleetError } from "../errors.ts";
import { essenceOf } from "../protocol/media-type.ts";

const json = "application/json";
const events = "text/event-stream";

/** In which forms a client takes the answer to a message. */
export interface Taken {
  readonly json: boolean;
  readonly events: boolean;
}

const both: Taken = Object.freeze({ json: true, events: true });
const jsonOnly: Taken = Object.freeze({ json: true, events: false });
const eventsOnly: Taken = Object.freeze({ json: false, events: true });
const neither: Taken = Object.freeze({ json: false, events: false });
/** What MCP clients write (basic/transports). */
const usual = `${json}, ${events}`;

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
    throw new FleetError("MEDIA_TYPE", "Unsupported media type: MCP messages are sent without Content-Encoding", {
      headers: { "accept-encoding": "identity" },
    });
  }
}

/** What a request's `Accept` says (RFC 9110, section 12.5.1). A client that does not say takes all. */
export function takenBy({ headers }: IncomingMessage): Taken {
  const { accept } = headers;
  if (accept === undefined || accept === usual) return both;
  if (accept === json) return jsonOnly;
  const ranges = accept.toLowerCase().split(",");
  const takesJson = isTaken(ranges, json);
  if (isTaken(ranges, events)) return takesJson ? both : eventsOnly;
  return takesJson ? jsonOnly : neither;
}

/** The most specific range that fits decides; a weight of 0 refuses. */
function isTaken(ranges: readonly string[], type: string): boolean {
  for (const range of [type, `${type.slice(0, type.indexOf("/"))}/*`, "*/*"]) {
    const said = ranges.find((one) => essenceOf(one) === range);
    if (said !== undefined) return !/;\s*q=0(?:\.0*)?\s*(?:;|$)/.test(said);
  }
  return false;
}
