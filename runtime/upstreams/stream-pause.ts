import type { Exchange } from "../protocol/exchange.ts";
import type { Cut } from "./http-exchange.ts";

/** Between two attempts to open a stream, when the server has not said how long to wait. */
const usualMs = 1000;
/** Not even a server that asks for it is asked more often. */
const shortestMs = 50;

/**
 * Waits as long as the server wants before its stream is opened again (the `retry` of Server-Sent Events); ends early
 * when the call that waits for it is cancelled.
 */
export function pause(cut: Cut | undefined, exchange?: Exchange): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(cut?.retryMs ?? usualMs, shortestMs));
    if (exchange === undefined) timer.unref();
    exchange?.onCancel(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
