/** What a look at the registry's advisories came to. */
export type AuditVerdict =
  | { readonly outcome: "clean" | "vulnerable"; readonly text: string }
  /** The registry offers no advisories, or was not reached: nothing is known. */
  | { readonly outcome: "unknown"; readonly text: string };

interface Vulnerability {
  readonly name: string;
  readonly severity: string;
  readonly range: string;
  readonly via: readonly (string | { readonly title: string; readonly url: string })[];
}

/** Severities that must not be shipped, as `npm audit` names them. */
const refused = ["high", "critical"];

/** Reads what `npm audit --json` has printed. */
export function auditVerdict(printed: string): AuditVerdict {
  const { vulnerabilities, message, error } = reportOf(printed);
  if (vulnerabilities === undefined) {
    return { outcome: "unknown", text: message ?? error?.summary ?? "npm audit has printed no report" };
  }
  const all = Object.values(vulnerabilities);
  const lines = all.map(({ name, severity, range, via }) => {
    const reasons = via.map((reason) =>
      typeof reason === "string" ? `by ${reason}` : `${reason.title}, ${reason.url}`,
    );
    return `${name} ${range}: ${severity}: ${reasons.join("; ")}`;
  });
  if (lines.length === 0) return { outcome: "clean", text: "no known vulnerability" };
  const bad = all.some(({ severity }) => refused.includes(severity));
  return { outcome: bad ? "vulnerable" : "clean", text: lines.join("\n") };
}

interface Report {
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
  readonly message?: string;
  readonly error?: { readonly summary?: string };
}

function reportOf(printed: string): Report {
  try {
    return (JSON.parse(printed) as Report | null) ?? {};
  } catch {
    return {};
  }
}
