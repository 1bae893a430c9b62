import { Counter, Gauge, type Registry } from "prom-client";

/** What the security stages count. */
export class SecurityMetrics {
  readonly #refusals: Counter<"reason">;
  readonly #denials: Counter<"server" | "reason">;
  readonly #limited: Counter<"scope">;
  readonly #alone: Counter;
  readonly #held: Counter<"server" | "why">;
  readonly #lost: Counter;

  /** `remembered`: verified credentials in memory, and their bound. */
  constructor(registry: Registry, remembered: () => { readonly size: number; readonly max: number }) {
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
    const gauge = (name: string, help: string, read: (of: { readonly size: number; readonly max: number }) => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read(remembered()));
        },
      });
    gauge("mcp_auth_cache", "Verified credentials held in memory.", ({ size }) => size);
    gauge("mcp_auth_cache_max", "Bound of mcp_auth_cache.", ({ max }) => max);
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
