import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { FleetInstances } from "./fleet-instances.ts";
import { failureOf } from "./resilience/failures.ts";

/** Instances that are asked before the next one gets all of the time. */
const mostTried = 2;

/** Asks for what every instance can answer, such as a list: one that fails or takes too long is left for another one. */
export async function askOneOf(
  { source, patienceMs }: Pick<FleetInstances, "source" | "patienceMs">,
  method: string,
  params: Params | undefined,
  exchange: Exchange,
): Promise<RpcReply> {
  const tried = new Set<object>();
  for (;;) {
    const instance = await source.blank(tried);
    const { backend } = instance;
    const others = source.backends.some((other) => other !== backend && other.usable && !tried.has(other));
    if (!others || tried.size >= mostTried) return instance.request(method, params, exchange);
    const attempt = exchange.attempt();
    attempt.remainingMs = Math.min(exchange.remainingMs, patienceMs);
    try {
      return await instance.request(method, params, attempt);
    } catch (error) {
      if (!failureOf(error)) throw error;
      tried.add(backend);
    }
  }
}
