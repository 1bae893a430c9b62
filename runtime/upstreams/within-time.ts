import type { Exchange } from "../protocol/exchange.ts";

/**
 * Waits for what a call must have before it goes out, for `ms` milliseconds at most. Rejects with REQUEST_TIMEOUT, and when the
 * call is cancelled; what was waited for goes on, for others may wait for it too.
 */
export function withinTime<T>(wanted: Promise<T>, ms: number, exchange: Exchange, fleet: string): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(exchange.expired(fleet)), ms);
  exchange.onCancel(() => reject(exchange.failure));
  wanted.then(resolve, reject);
  return promise.finally(() => clearTimeout(timer));
}
