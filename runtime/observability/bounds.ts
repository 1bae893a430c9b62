import { Gauge, type Registry } from "prom-client";

/** What happens at a bound: the next one waits, an old one goes, or something is refused, cut or ended. */
export type WhenFull = "wait" | "evict" | "refuse";

/** How much of something there is, and how much there can be: entries, calls or bytes. */
export interface Use {
  readonly size: number;
  readonly max: number;
}

/** Something that can grow, and its bound. */
export interface Bound {
  /** As `docs/bounds.md` calls it: `sessions`. */
  readonly name: string;
  readonly whenFull: WhenFull;
  /** Asked when metrics are scraped; costs nothing before. */
  use(): Use | Promise<Use>;
}

/** Bounds by server; the server is empty for the gateway's own. */
type Holder = () => Iterable<readonly [server: string, bounds: readonly Bound[]]>;

/**
 * How near every bound is: one gauge, to which holders register. What has no bound (0, or no finite number) counts as
 * empty. Of several processes the fullest one counts.
 */
export class Bounds {
  readonly #holders: Holder[] = [];

  constructor(registry: Registry) {
    const holders = this.#holders;
    new Gauge({
      name: "mcp_bound_utilization",
      help: "Share of a bound that is in use, 0 to 1, by what happens when it is full: wait, evict or refuse.",
      aggregator: "max",
      labelNames: ["bound", "server", "when_full"],
      registers: [registry],
      async collect() {
        this.reset();
        for (const read of holders) {
          for (const [server, bounds] of read()) {
            for (const bound of bounds) {
              const { size, max } = await bound.use();
              const value = Number.isFinite(max) && max > 0 ? size / max : 0;
              this.set({ bound: bound.name, server, when_full: bound.whenFull }, value);
            }
          }
        }
      },
    });
  }

  /** Bounds of the gateway itself. */
  hold(...bounds: readonly Bound[]): void {
    this.#holders.push(() => [["", bounds]]);
  }

  /** Bounds of servers, which come and go. */
  holdEach(read: Holder): void {
    this.#holders.push(read);
  }
}
