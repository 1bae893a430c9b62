import type { Exchange } from "../protocol/exchange.ts";
import type { Cut } from "./http-outcome.ts";

/** Between two attempts to open a stream, when the server has not said how long to wait. */
const usualMs = 1000;
/** Not even a server that asks for it is asked more often. */
const shortestMs = 50;
/** A stream that no call waits for is opened again after this long, whatever its server asks for. */
const longestMs = 5 * 60_000;

/** How long the server wants to be left alone after its stream was cut (the `retry` of Server-Sent Events), in milliseconds. */
export const pauseMs = (cut: Cut | undefined): number => Math.max(cut?.retryMs ?? usualMs, shortestMs);

/**
 * The same for a stream that no call waits for: twice as long with each time that it was opened `inVain`, five minutes at
 * most.
 */
export const idlePauseMs = (cut: Cut | undefined, inVain: number): number =>
  Math.min(pauseMs(cut) * 2 ** Math.max(inVain - 1, 0), longestMs);

/** Waits; ends early when the call that waits is cancelled. Without a call it does not keep the process alive. */
export function pause(ms: number, exchange?: Exchange): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    if (exchange === undefined) timer.unref();
    exchange?.onCancel(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
