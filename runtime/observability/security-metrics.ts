import { Counter, Gauge, type Registry } from "prom-client";

/** How full something is. */
interface Fill {
  readonly size: number;
  readonly max: number;
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

  constructor(registry: Registry, fills: () => SecurityFills) {
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
    const gauge = (name: string, help: string, of: keyof SecurityFills) => {
      for (const [suffix, text, member] of [
        ["", help, "size"],
        ["_max", `Bound of ${name}.`, "max"],
      ] as const) {
        new Gauge({
          name: `${name}${suffix}`,
          help: text,
          registers,
          collect() {
            this.set(fills()[of][member]);
          },
        });
      }
    };
    gauge("mcp_auth_cache", "Verified credentials held in memory.", "remembered");
    gauge("mcp_auth_waiting", "Passwords and opaque tokens that wait to be checked.", "waiting");
    gauge("mcp_auth_failing", "Networks whose wrong credentials are counted.", "failing");
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
