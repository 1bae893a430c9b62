/** Severities of `notifications/message`, from chatty to grave (RFC 5424 by name; server/utilities/logging). */
const levels = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;

const rank = (level: unknown): number => (levels as readonly unknown[]).indexOf(level);

/** Does somebody who wants `wanted` and graver lines want one of this level? Unknown levels pass. */
export function wantsLog(wanted: string, level: unknown): boolean {
  return rank(level) < 0 || rank(level) >= rank(wanted);
}

/** Does `wanted` ask for more lines than what is told already? */
export function wantsMore(wanted: string, told: string | undefined): boolean {
  return told === undefined || rank(wanted) < rank(told);
}

export const isLogLevel = (level: unknown): level is string => rank(level) >= 0;
