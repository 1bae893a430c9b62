import type { NotificationArgs, Severity } from "./args.ts";
import type { Expression } from "./expressions.ts";

/** One alert rule, whatever system evaluates it. */
export interface Rule {
  /** Name of the alert: one word of letters and digits. */
  readonly alert: string;
  /** PromQL over the metrics of one gateway. */
  readonly expr: Expression;
  readonly forSeconds: number;
  readonly severity: Severity;
  readonly summary: string;
  /** Anchor in docs/runbook.md; undefined for rules of users. */
  readonly runbook: string | undefined;
  /** Who hears of it, when not the stack's own. */
  readonly notifications: NotificationArgs | undefined;
}

/** A series that rules read, made of others beforehand. */
export interface Recording {
  readonly record: string;
  readonly expr: Expression;
}
