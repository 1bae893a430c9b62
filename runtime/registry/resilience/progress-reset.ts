import type { ResolvedServer } from "../../config/index.ts";
import { ProgressDeadline } from "../../protocol/progress-deadline.ts";
import type { FleetStage } from "../fleet-call.ts";

/** The stage of a server whose progress extends its calls: none where `timeouts.resetOnProgress` is off. */
export function progressReset({ timeouts }: Pick<ResolvedServer, "timeouts">, now: () => number): FleetStage[] {
  if (!timeouts.resetOnProgress) return [];
  const stage: FleetStage = (next) => (client, method, params, exchange) => {
    const began = exchange.deadline === undefined ? now() : exchange.deadline - exchange.timeoutMs;
    exchange.progress = new ProgressDeadline(timeouts, began, now);
    return next(client, method, params, exchange);
  };
  return [stage];
}
