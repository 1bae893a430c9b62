import type { Exchange } from "../protocol/exchange.ts";
import type { Cut } from "./http-outcome.ts";

/** Between two attempts to open a stream, when the server has not said how long to wait. */
const usualMs = 1000;
/** Not even a server that asks for it is asked more often. */
const shortestMs = 50;
/** A stream that no call waits for is opened again after this long, whatever its server asks for. */
const longestMs = 5 * 60_000;

/**
 * Waits as long as the server wants before its stream is opened again (the `retry` of Server-Sent Events), but no longer
 * than `maxMs`; ends early when the call that waits for it is cancelled.
 */
export function pause(cut: Cut | undefined, exchange?: Exchange, maxMs = longestMs): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.min(Math.max(cut?.retryMs ?? usualMs, shortestMs), maxMs));
    if (exchange === undefined) timer.unref();
    exchange?.onCancel(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
