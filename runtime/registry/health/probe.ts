import { FleetError, messageOf } from "../../errors.ts";
import { Exchange } from "../../protocol/exchange.ts";
import { withoutSecrets } from "../../secret-guard.ts";
import type { Fetch } from "../../upstreams/upstream-tls.ts";
import type { Backend } from "../backend.ts";

/** Why an instance does not pass one check; undefined when it does. `path` is asked by GET, else its session by MCP. */
export function probe(
  backend: Backend,
  path: string | undefined,
  timeoutMs: number,
  ask: Fetch,
): Promise<string | undefined> {
  return path === undefined ? askSession(backend, timeoutMs) : askPath(backend.address, path, timeoutMs, ask);
}

async function askPath(address: string, path: string, timeoutMs: number, ask: Fetch): Promise<string | undefined> {
  // A query can hold a key.
  const shown = path.replace(/[?#].*$/s, "");
  try {
    // A redirect says that the server is there, and is not followed: it could lead anywhere.
    const response = await ask(new URL(path, address), { signal: AbortSignal.timeout(timeoutMs), redirect: "manual" });
    await response.body?.cancel();
    return response.status < 400 ? undefined : `GET ${shown} answered HTTP ${response.status}`;
  } catch (error) {
    const { cause } = error as Error;
    return withoutSecrets(`GET ${shown} failed: ${messageOf(cause ?? error)}`);
  }
}

async function askSession({ primary, signs }: Backend, timeoutMs: number): Promise<string | undefined> {
  const method = primary.description?.modern === true ? "server/discover" : "ping";
  const exchange = new Exchange(timeoutMs);
  exchange.apart = true;
  const before = signs.messages;
  try {
    // Whatever a server says, it is there.
    await primary.probe(method, undefined, exchange);
    signs.answersChecks = true;
    return undefined;
  } catch (error) {
    if (signs.messages !== before) return undefined;
    const code = error instanceof FleetError ? error.code : "INTERNAL";
    // The session is opened anew, by the instance itself.
    if (code === "UPSTREAM_SESSION_EXPIRED") return undefined;
    if (code !== "REQUEST_TIMEOUT") return messageOf(error);
    // Some servers never answer a ping. That says nothing while they owe no call an answer.
    if (!signs.answersChecks && signs.silentSince === undefined) return undefined;
    return `no answer to ${method} within ${timeoutMs} ms`;
  }
}
