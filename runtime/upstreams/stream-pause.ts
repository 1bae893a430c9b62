import type { Exchange } from "../protocol/exchange.ts";
import type { Cut } from "./http-outcome.ts";

/** Between two attempts to open a stream, when the server has not said how long to wait. */
const usualMs = 1000;
/** Not even a server that asks for it is asked more often. */
const shortestMs = 50;
/** A stream that no call waits for is opened again after this long, whatever its server asks for. */
const longestMs = 5 * 60_000;

/** How long the server wants to be left alone after its stream was cut, in milliseconds. */
export const pauseMs = (cut: Cut | undefined): number => Math.max(cut?.retryMs ?? usualMs, shortestMs);

/**
 * Waits as long as the server wants before its stream is opened again (the `retry` of Server-Sent Events), but no longer
 * than `maxMs`; ends early when the call that waits for it is cancelled.
 */
export function pause(cut: Cut | undefined, exchange?: Exchange, maxMs = longestMs): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.min(pauseMs(cut), maxMs));
    if (exchange === undefined) timer.unref();
    exchange?.onCancel(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
