import type { ResolvedServer } from "../../config/index.ts";
import type { Params } from "../../protocol/json-rpc.ts";
import type { Backend } from "../backend.ts";

export interface HealthCheckerOptions {
  readonly check: Pick<
    ResolvedServer["healthCheck"],
    "intervalMs" | "timeoutMs" | "unhealthyThreshold" | "healthyThreshold" | "path" | "restartAfter"
  >;
  readonly backends: () => readonly Backend[];
  /** Why it does not pass; undefined when it does. */
  readonly probe: (backend: Backend, path: string | undefined, timeoutMs: number) => Promise<string | undefined>;
  readonly now: () => number;
  readonly random: () => number;
  /** How long a call may take: an instance is not started anew under a call that has time left. */
  readonly requestMs: number;
  /** Starts an instance anew; undefined when something else runs them. */
  readonly restart: ((backend: Backend, reason: string) => void) | undefined;
}

interface Record {
  checkedAt: number;
  checking: boolean;
  failed: number;
  passed: number;
}

/** An instance that has owed an answer in silence for this share of the interval is checked at once. */
const suspicionShare = 0.25;

/**
 * Active checks: each instance once in an interval, and at once when its calls are not answered. After a check with a
 * surprising outcome the next one follows directly, so that a verdict needs one interval and not several.
 */
export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  readonly #records = new WeakMap<Backend, Record>();

  constructor(options: HealthCheckerOptions) {
    this.#options = options;
  }

  /** Checks what is due. */
  tick(): void {
    const at = this.#options.now();
    for (const backend of this.#options.backends()) {
      backend.signs.notice(at, backend.inFlight);
      if (backend.ready && this.#due(backend)) void this.check(backend);
    }
  }

  /** Checks one instance until there is a verdict. */
  async check(backend: Backend): Promise<void> {
    const { check, probe, now, requestMs, restart } = this.#options;
    const { signs } = backend;
    const record = this.#recordOf(backend);
    if (record.checking) return;
    record.checking = true;
    try {
      for (;;) {
        record.checkedAt = now();
        const reason = await probe(backend, check.path, check.timeoutMs);
        if (!backend.ready) return;
        if (reason === undefined) signs.spoke(now(), backend.inFlight);
        else {
          signs.notice(now(), backend.inFlight);
          // A task goes on after its call was answered.
          if (hasTasks(backend)) signs.began(now());
        }
        record.failed = reason === undefined ? 0 : record.failed + 1;
        record.passed = reason === undefined ? record.passed + 1 : 0;
        if (reason !== undefined && record.failed >= check.unhealthyThreshold) {
          backend.checked(`${record.failed} checks failed: ${reason}`, check.path === undefined);
          if (restart === undefined || check.restartAfter === 0 || record.failed < check.restartAfter) return;
          if (!signs.isDead(now(), requestMs, backend.inFlight)) return;
          record.failed = 0;
          return restart(backend, reason);
        }
        if (reason === undefined && (!backend.unhealthy || record.passed >= check.healthyThreshold)) {
          return backend.checked(undefined);
        }
      }
    } finally {
      record.checking = false;
    }
  }

  #due(backend: Backend): boolean {
    const { check, now } = this.#options;
    const record = this.#recordOf(backend);
    const sinceMs = now() - record.checkedAt;
    if (record.checking) return false;
    if (sinceMs >= check.intervalMs) return true;
    const suspicionMs = check.intervalMs * suspicionShare;
    if (sinceMs < suspicionMs) return false;
    if (backend.unhealthy) return backend.spoke;
    const { silentSince } = backend.signs;
    return silentSince !== undefined && now() - silentSince >= suspicionMs;
  }

  #recordOf(backend: Backend): Record {
    let record = this.#records.get(backend);
    if (record === undefined) {
      const { check, now, random } = this.#options;
      // Instances that came together are not checked together.
      record = { checkedAt: now() - random() * check.intervalMs, checking: false, failed: 0, passed: 0 };
      this.#records.set(backend, record);
    }
    return record;
  }
}

function hasTasks({ primary }: Backend): boolean {
  const { tasks, extensions } = (primary.description?.capabilities ?? {}) as {
    readonly tasks?: object;
    readonly extensions?: Params;
  };
  return tasks !== undefined || extensions?.["io.modelcontextprotocol/tasks"] !== undefined;
}
