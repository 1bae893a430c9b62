import type { NotificationArgs, Severity } from "./args.ts";

/** One alert rule, whatever system evaluates it. */
export interface Rule {
  /** Name of the alert: one word of letters and digits. */
  readonly alert: string;
  /** PromQL over the gateway's metrics. */
  readonly expr: string;
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
  readonly expr: string;
}
