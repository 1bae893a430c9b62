import { totalmem } from "node:os";
import { readProcessTree } from "../../host/process-tree.ts";
import type { Fetch } from "../../upstreams/upstream-tls.ts";
import type { Backend } from "../backend.ts";
import type { HostLoad } from "../balancing/strategy.ts";
import type { LeaseCount } from "../instance-source.ts";
import { limitedText } from "../limited-text.ts";

const reportTimeoutMs = 2000;
/** A few numbers fit many times. */
const maxReportBytes = 64 * 1024;

/** Headers that let the gateway in at a URL of a host. */
export type HostCredentials = (url: URL) => Promise<Record<string, string>>;

/** Reads what the instances' hosts report: of a local process from /proc, of the others from their `GET /load`. */
export class HostLoadReader {
  readonly #path: string;
  readonly #now: () => number;
  readonly #ask: Fetch;
  readonly #credentials: HostCredentials;
  readonly #before = new WeakMap<Backend, { readonly at: number; readonly seconds: number }>();
  /** Instances that have no report to give. */
  readonly #mute = new WeakSet<Backend>();
  /** Instances for which there were no credentials: an authorization server is not asked again and again. */
  readonly #withoutCredentials = new WeakSet<Backend>();

  /** `credentials`: what lets the gateway in. Defaults to nothing. */
  constructor(path: string, now: () => number, ask: Fetch, credentials: HostCredentials = async () => ({})) {
    this.#path = path;
    this.#credentials = credentials;
    this.#ask = ask;
    this.#now = now;
  }

  /** Takes one report of each; an instance that gives none keeps the load that it had. */
  async read(backends: readonly Backend[]): Promise<void> {
    await Promise.all(
      backends.map(async (backend) => {
        const { pid } = backend.primary;
        const load = pid === undefined ? await this.#reported(backend) : this.#measured(backend, pid);
        if (load !== undefined) backend.reported(load);
      }),
    );
  }

  /** Only of those that can have room for a session or not: what gives no report is asked no more. */
  async readRoom(backends: readonly Backend[]): Promise<void> {
    if (backends.length > 1) await this.read(backends.filter((backend) => backend.ready && !this.#mute.has(backend)));
  }

  async #reported(backend: Backend): Promise<HostLoad | undefined> {
    const { address, sessions } = backend;
    if (!address.startsWith("http")) return undefined;
    try {
      const signal = AbortSignal.timeout(reportTimeoutMs);
      const url = new URL(this.#path, address);
      const response = await this.#ask(url, { signal, redirect: "manual", headers: await this.#headers(backend, url) });
      if (response.body === null) return undefined;
      const text = await limitedText(response.body, maxReportBytes);
      if (response.status < 500) this.#mute.add(backend);
      const { cpu, memory, leases } = JSON.parse(text) as Partial<HostLoad> & { readonly leases?: Partial<LeaseCount> };
      if (!response.ok) return undefined;
      const free = freeOf(leases);
      if (free !== undefined) {
        this.#mute.delete(backend);
        backend.room.told(free, sessions);
      }
      return loadOf(cpu, memory);
    } catch {
      return undefined;
    }
  }

  async #headers(backend: Backend, url: URL): Promise<Record<string, string>> {
    if (this.#withoutCredentials.has(backend)) return {};
    return this.#credentials(url).catch(() => {
      this.#withoutCredentials.add(backend);
      return {};
    });
  }

  /** CPU over one core, since that is what most servers can use. */
  #measured(backend: Backend, pid: number): HostLoad | undefined {
    const { seconds, bytes } = readProcessTree(pid);
    const at = this.#now();
    const before = this.#before.get(backend);
    this.#before.set(backend, { at, seconds });
    if (before === undefined || at <= before.at) return undefined;
    return loadOf(Math.max(0, ((seconds - before.seconds) * 1000) / (at - before.at)), bytes / totalmem());
  }
}

/** How many places are free by a report; undefined where it does not say. */
function freeOf({ used, max }: Partial<LeaseCount> = {}): number | undefined {
  return Number.isSafeInteger(used) && Number.isSafeInteger(max) ? (max as number) - (used as number) : undefined;
}

function loadOf(cpu: unknown, memory: unknown): HostLoad | undefined {
  const share = (value: unknown) => (typeof value === "number" && value >= 0 ? Math.min(value, 1) : undefined);
  const used = { cpu: share(cpu), memory: share(memory) };
  return used.cpu === undefined || used.memory === undefined ? undefined : { cpu: used.cpu, memory: used.memory };
}
