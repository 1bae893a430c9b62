/** What the parameters of a method name, and so what a call of it is judged by. `server`: nothing but the server. */
export type MethodKind = "tools" | "prompts" | "resources" | "completion" | "tasks" | "server";

/**
 * Requests of clients that the gateway relays, of both eras (schema of 2025-11-25 and of 2026-07-28), exact in case. Not
 * among them: what belongs to a connection (`initialize`, `server/discover`, `subscriptions/listen`), and `tasks/list`,
 * whose answer names tasks of every caller of a shared server.
 */
export const relayedMethods: ReadonlyMap<string, MethodKind> = new Map([
  ["ping", "server"],
  ["tools/list", "server"],
  ["tools/call", "tools"],
  ["prompts/list", "server"],
  ["prompts/get", "prompts"],
  ["resources/list", "server"],
  ["resources/templates/list", "server"],
  ["resources/read", "resources"],
  ["resources/subscribe", "resources"],
  ["resources/unsubscribe", "resources"],
  ["completion/complete", "completion"],
  ["logging/setLevel", "server"],
  ["tasks/get", "tasks"],
  ["tasks/result", "tasks"],
  ["tasks/update", "tasks"],
  ["tasks/cancel", "tasks"],
]);

/** How much of a text that a client invented is repeated to it. */
const shownChars = 200;

/** The start of a text, for an error message. */
export const excerpt = (text: string): string => (text.length <= shownChars ? text : `${text.slice(0, shownChars)}…`);
