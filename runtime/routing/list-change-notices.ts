import type { ListCapability } from "../registry/catalog.ts";
import type { ListChange } from "../registry/fleet-registry.ts";

/** Changes that come so close together are told once. */
const gatherMs = 100;

/** Gathers `list_changed` of all fleets: a server that registers fifty tools must not make every client list fifty times. */
export class ListChangeNotices {
  readonly #tell: (kind: ListCapability, servers: ReadonlySet<string>) => void;
  readonly #pending = new Map<ListCapability, Set<string>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (kind: ListCapability, servers: ReadonlySet<string>) => void) {
    this.#tell = tell;
  }

  add({ server, kind }: ListChange): void {
    this.#pending.set(kind, (this.#pending.get(kind) ?? new Set()).add(server));
    this.#timer ??= setTimeout(() => this.#flush(), gatherMs).unref();
  }

  #flush(): void {
    this.#timer = undefined;
    const changes = [...this.#pending];
    this.#pending.clear();
    for (const [kind, servers] of changes) this.#tell(kind, servers);
  }
}
