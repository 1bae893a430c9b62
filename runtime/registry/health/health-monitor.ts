import type { ResolvedServer } from "../../config/index.ts";
import type { Fetch } from "../../upstreams/upstream-tls.ts";
import type { Backend } from "../backend.ts";
import { HealthChecker } from "./health-checker.ts";
import { type HostCredentials, HostLoadReader } from "./host-load.ts";
import { OutlierDetector } from "./outlier-detector.ts";
import { probe } from "./probe.ts";
import { StallDetector } from "./stall-detector.ts";

export interface HealthMonitorOptions {
  readonly server: Pick<ResolvedServer, "healthCheck" | "loadBalancer" | "retry" | "timeouts"> & {
    readonly isolation: string;
  };
  readonly backends: () => readonly Backend[];
  readonly now: () => number;
  readonly random: () => number;
  /** How instances are asked over HTTP. */
  readonly ask: Fetch;
  /** What lets the gateway in at their hosts. Defaults to nothing. */
  readonly credentials?: HostCredentials | undefined;
  readonly restart: ((backend: Backend, reason: string) => void) | undefined;
}

/** Between two looks at the load of hosts: CPU use changes faster than health. */
const loadEveryMs = 2000;

/** Between two looks at the room that hosts have for sessions: a client can wait for it. */
const roomEveryMs = 1000;

/** The pulse of one fleet's health: checks, ejections and, where the strategy wants it, the load of the hosts. */
export class HealthMonitor {
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #checker: HealthChecker | undefined;
  readonly stalls: StallDetector;

  constructor({ server, backends, now, random, ask, credentials, restart }: HealthMonitorOptions) {
    const { healthCheck, loadBalancer, retry, timeouts, isolation } = server;
    const { intervalMs, outlier } = healthCheck;
    const checker = healthCheck.enabled
      ? new HealthChecker({
          check: healthCheck,
          backends,
          now,
          random,
          requestMs: timeouts.requestMs,
          restart,
          probe: (backend, path, timeoutMs) => probe(backend, path, timeoutMs, ask),
        })
      : undefined;
    const detector = outlier.enabled ? new OutlierDetector({ rules: outlier, backends, now }) : undefined;
    this.#checker = checker;
    this.stalls = new StallDetector({
      requestMs: timeouts.requestMs,
      attemptMs: retry.attemptMs,
      stateful: isolation !== "shared",
      backends,
      now,
      suspect: checker && ((backend) => void checker.check(backend)),
      eject: detector && ((backend, reason) => detector.eject(backend, reason)),
    });
    const pulse = () => {
      checker?.tick();
      detector?.tick();
      this.stalls.tick();
    };
    const everyMs = Math.min(1000, Math.max(20, Math.min(intervalMs / 8, this.stalls.everyMs)));
    const timers = [setInterval(pulse, everyMs).unref()];
    const reader = new HostLoadReader(healthCheck.loadPath, now, ask, credentials);
    if (loadBalancer.strategy === "resource-based") {
      timers.push(setInterval(() => void reader.read(backends()), loadEveryMs).unref());
    }
    if (isolation !== "shared" && restart === undefined) {
      timers.push(setInterval(() => void reader.readRoom(backends()), roomEveryMs).unref());
    }
    this.#timers = timers;
  }

  /** An instance has come up: a first check learns whether its server answers checks at all. */
  cameUp(backend: Backend): void {
    if (!backend.signs.answersChecks) void this.#checker?.check(backend);
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
