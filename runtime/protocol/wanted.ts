import { encodeNotification } from "./json-rpc.ts";

/** A gateway is told that others wait for the instance behind its session: it ends the session if no client is there for it. */
export const wantedMethod = "notifications/mcp-fleet/wanted";

/** The same as a message. */
export const wantedMessage = encodeNotification(wantedMethod);
