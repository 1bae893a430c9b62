import { Counter, Gauge, type Registry } from "prom-client";

/** How full something is. */
interface Fill {
  readonly size: number;
  readonly max: number;
}

/** What the metrics are read from when they are scraped. */
export interface SecuritySources {
  readonly security: SecurityFills;
  /** Undefined without an audit log. */
  readonly audit: { readonly status: { readonly state: "ok" | "failing" }; readonly waiting: Fill } | undefined;
}

/** What the security stages hold in memory, each with its bound. */
export interface SecurityFills {
  /** Verified credentials. */
  readonly remembered: Fill;
  /** Checks of credentials that wait for their turn. */
  readonly waiting: Fill;
  /** Networks that sent wrong credentials. */
  readonly failing: Fill;
}

/** What the security stages count. */
export class SecurityMetrics {
  readonly #refusals: Counter<"reason">;
  readonly #denials: Counter<"server" | "reason">;
  readonly #limited: Counter<"scope">;
  readonly #alone: Counter;
  readonly #held: Counter<"server" | "why">;
  readonly #lost: Counter;

  constructor(registry: Registry, sources: () => SecuritySources) {
    const registers = [registry];
    this.#refusals = new Counter({
      name: "mcp_auth_refused_total",
      help: "Requests refused for their credential: unauthenticated (none), token_refused (wrong).",
      labelNames: ["reason"],
      registers,
    });
    this.#denials = new Counter({
      name: "mcp_authorization_denied_total",
      help: "Calls refused, or in a dry run noted, by requirement or rule.",
      labelNames: ["server", "reason"],
      registers,
    });
    this.#limited = new Counter({
      name: "mcp_rate_limited_total",
      help: "Calls held back by a limit on calls or on calls in flight.",
      labelNames: ["scope"],
      registers,
    });
    this.#alone = new Counter({
      name: "mcp_rate_limit_degraded_total",
      help: "Calls counted in this process alone, because Redis was away.",
      registers,
    });
    this.#held = new Counter({
      name: "mcp_tool_integrity_total",
      help: "Tools found unfit (flaw), unknown (new) or not as approved (changed).",
      labelNames: ["server", "why"],
      registers,
    });
    this.#lost = new Counter({
      name: "mcp_audit_lost_total",
      help: "Lines that could not be written to the audit log.",
      registers,
    });
    const gauge = (name: string, help: string, read: (of: SecuritySources) => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read(sources()));
        },
      });
    const fill = (name: string, help: string, of: (of: SecuritySources) => Fill | undefined) => {
      gauge(name, help, (read) => of(read)?.size ?? 0);
      gauge(`${name}_max`, `Bound of ${name}.`, (read) => of(read)?.max ?? 0);
    };
    fill("mcp_auth_cache", "Verified credentials held in memory.", ({ security }) => security.remembered);
    fill(
      "mcp_auth_waiting",
      "Passwords and opaque tokens that wait to be checked.",
      ({ security }) => security.waiting,
    );
    fill("mcp_auth_failing", "Networks whose wrong credentials are counted.", ({ security }) => security.failing);
    fill("mcp_audit_waiting_bytes", "Lines that wait for the disk of the audit log.", ({ audit }) => audit?.waiting);
    gauge("mcp_audit_failing", "1 while the audit log cannot be written.", ({ audit }) =>
      audit?.status.state === "failing" ? 1 : 0,
    );
  }

  /** A request came without a credential, or with a wrong one. */
  refused(code: string): void {
    this.#refusals.inc({ reason: code.toLowerCase() });
  }

  limited(scope: string): void {
    this.#limited.inc({ scope });
  }

  /** A limit that should hold over all gateways was counted here alone. */
  countedAlone(): void {
    this.#alone.inc();
  }

  toolHeld(server: string, why: string): void {
    this.#held.inc({ server, why });
  }

  auditLost(): void {
    this.#lost.inc();
  }

  denied(server: string, reason: string): void {
    this.#denials.inc({ server, reason });
  }
}
