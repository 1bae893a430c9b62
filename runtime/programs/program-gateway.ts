import { randomUUID } from "node:crypto";
import { resolveConfig } from "../config/index.ts";
import type { Gateway, Server } from "../config/schema/index.ts";
import { writtenSecrets } from "../config/written-secrets.ts";
import { FleetError } from "../errors.ts";
import { type GatewayStatus, type RunningGateway, startGateway } from "../gateway.ts";
import { withNumbers } from "../protocol/exact-number.ts";
import type { Params } from "../protocol/json-rpc.ts";
import { Strategies } from "../registry/balancing/strategies.ts";
import type { ExecuteTerms } from "../routing/executor.ts";

/** Options of one request of a program. */
export interface ExecuteOptions {
  /** Where requests wait for each other. Defaults to `normal`. */
  readonly priority?: "critical" | "high" | "normal" | "low";
  /** May an earlier answer serve? Only what the operator has made cacheable is kept. Defaults to true. */
  readonly useCache?: boolean;
  /** Noted in the log. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * A gateway inside of a program, that its classes share. Keeps one session, so what a server remembers of earlier
 * requests (a chain of thoughts, a browser) is there for later ones.
 */
export class ProgramGateway {
  readonly #owner = `program-${randomUUID()}`;
  #section: Gateway;
  readonly #listens: boolean;
  /** The program's own load balancing strategies stand beside the gateway's. */
  readonly strategies = new Strategies();
  readonly #servers = new Map<string, Server>();
  #running: Promise<RunningGateway> | undefined;

  /** Without a port in the section it does not listen. */
  constructor(section: Gateway) {
    this.#section = section;
    this.#listens = section.port !== undefined;
  }

  /** Does it serve clients? */
  get listens(): boolean {
    return this.#listens;
  }

  /** Lets pages of these origins, and of no others but loopback's, call and read the answers; in force with the next change of servers. */
  allowOrigins(origins: readonly string[]): void {
    const { cors: _before, ...section } = this.#section;
    this.#section = origins.length === 0 ? section : { ...section, cors: { origins: [...new Set(origins)] } };
  }

  /** Lets these callers in, and no others; in force at once. */
  async admit(auth: Gateway["auth"]): Promise<void> {
    this.#section = auth === undefined ? this.#section : { ...this.#section, auth };
    if (this.#running !== undefined) await this.#apply();
  }

  /** Adds servers, or replaces those of the same name; resolves when each one serves. Rejects when one cannot. */
  async add(servers: Readonly<Record<string, Server>>): Promise<void> {
    const before = new Map(this.#servers);
    for (const [name, server] of Object.entries(servers)) this.#servers.set(name, server);
    const { executor } = await this.#apply().catch((error) => {
      // What is wrong must not stand in the way of what comes next.
      for (const name of Object.keys(servers)) {
        const old = before.get(name);
        if (old === undefined) this.#servers.delete(name);
        else this.#servers.set(name, old);
      }
      throw error;
    });
    await Promise.all(Object.keys(servers).map((name) => executor.fleet(name).describe()));
  }

  /** Drains a server and ends its instances. False when there is none of that name. */
  async remove(name: string): Promise<boolean> {
    if (!this.#servers.delete(name)) return false;
    await this.#apply();
    return true;
  }

  has(name: string): boolean {
    return this.#servers.has(name);
  }

  /** Calls an MCP method, a tool, or an alias of one; returns the server's own result, its numbers as JavaScript reads them. Rejects with its error. */
  async execute(server: string, method: string, params: Params, terms: ExecuteTerms): Promise<unknown> {
    if (this.#running === undefined)
      throw new FleetError("SERVER_UNKNOWN", `no server is called "${server}", and no other one runs; add it first`);
    const { executor } = await this.#running;
    const reply = await executor.execute({ owner: this.#owner, caller: undefined }, server, method, params, terms);
    if ("result" in reply) return withNumbers(reply.result);
    throw new FleetError("UPSTREAM_PROTOCOL", `${server}: ${reply.error.message}`, { data: { error: reply.error } });
  }

  /** What runs, and how well; undefined before the first server. */
  async status(): Promise<GatewayStatus | undefined> {
    return (await this.#running)?.status();
  }

  /** What Prometheus would read at a gateway's `/metrics`; undefined before the first server. */
  async metrics(): Promise<string | undefined> {
    return (await this.#running)?.metrics();
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#servers.clear();
    await (await running)?.close();
  }

  async #apply(): Promise<RunningGateway> {
    const servers = Object.fromEntries(this.#servers);
    // What a program replaces is gone for the program too, which has one session.
    const session = { drainMs: 0, ...this.#section.session };
    const config = resolveConfig({ gateway: { ...this.#section, session }, servers });
    const secrets = writtenSecrets(servers);
    if (this.#running === undefined) {
      const starting = startGateway({ config, secrets, strategies: this.strategies }, { listen: this.#listens });
      this.#running = starting;
      starting.catch(() => {
        if (this.#running === starting) this.#running = undefined;
      });
      return starting;
    }
    const running = await this.#running;
    const { changes } = await running.apply(config, secrets);
    const [refused] = await changes;
    if (refused !== undefined) throw new FleetError("INSTANCE_START_FAILED", refused.reason);
    return running;
  }
}
