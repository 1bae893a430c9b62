import { FleetError, messageOf } from "../../errors.ts";
import { Exchange } from "../../protocol/exchange.ts";
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
  try {
    const response = await ask(new URL(path, address), { signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    return response.ok ? undefined : `GET ${path} answered HTTP ${response.status}`;
  } catch (error) {
    const { cause } = error as Error;
    return `GET ${path} failed: ${messageOf(cause ?? error)}`;
  }
}

async function askSession({ primary }: Backend, timeoutMs: number): Promise<string | undefined> {
  const method = primary.description?.modern === true ? "server/discover" : "ping";
  const exchange = new Exchange(timeoutMs);
  exchange.apart = true;
  try {
    // Whatever a server says, it is there.
    await primary.probe(method, undefined, exchange);
    return undefined;
  } catch (error) {
    const code = error instanceof FleetError ? error.code : "INTERNAL";
    // The session is opened anew, by the instance itself.
    if (code === "UPSTREAM_SESSION_EXPIRED") return undefined;
    return code === "REQUEST_TIMEOUT" ? `no answer to ${method} within ${timeoutMs} ms` : messageOf(error);
  }
}
