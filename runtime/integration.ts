import { randomUUID } from "node:crypto";
import { resolveConfig } from "./config/index.ts";
import { type Log, ServerType } from "./config/schema/index.ts";
import { FleetError } from "./errors.ts";
import { type GatewayStatus, type RunningGateway, startGateway } from "./gateway.ts";
import type { Params } from "./protocol/json-rpc.ts";

type LogLevel = NonNullable<Log["level"]>;

const productionServers = [ServerType.Context7, ServerType.Sequential, ServerType.Magic, ServerType.Playwright];

/** Options of one request. */
export interface ExecuteOptions {
  /** `critical`, `high`, `normal` or `low`. Defaults to `normal`. */
  readonly priority?: "critical" | "high" | "normal" | "low";
  /** May an earlier answer serve? Only what the operator has made cacheable is kept. Defaults to true. */
  readonly useCache?: boolean;
  /** Noted in the log. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * The four preset servers in this process, without a port: for programs that want to call them directly.
 * Keeps one session, so what a server remembers of earlier requests (a chain of thoughts, a browser) is there for later ones.
 */
export class CompleteMCPIntegration {
  readonly #owner = `integration-${randomUUID()}`;
  readonly #logLevel: LogLevel;
  #gateway: Promise<RunningGateway> | undefined;

  constructor({ logLevel = "warn" }: { readonly logLevel?: LogLevel } = {}) {
    this.#logLevel = logLevel;
  }

  /** Starts context7, sequential, magic and playwright; resolves when each one serves. Rejects when one cannot. */
  async setupProductionServers(): Promise<void> {
    const servers = Object.fromEntries(productionServers.map((type) => [type, { type }]));
    const config = resolveConfig({ gateway: { log: { level: this.#logLevel } }, servers });
    this.#gateway ??= startGateway({ config }, { listen: false });
    const { executor } = await this.#gateway;
    await Promise.all(Object.keys(servers).map((name) => executor.fleet(name).describe()));
  }

  /** Calls an MCP method, a tool, or an alias of one; returns the server's own result. Rejects with its error. */
  async executeRequest(
    server: string,
    method: string,
    params: Params = {},
    options: ExecuteOptions = {},
  ): Promise<unknown> {
    if (this.#gateway === undefined)
      throw new FleetError("SERVER_UNKNOWN", "no server runs; call setupProductionServers() first");
    const reply = await (await this.#gateway).executor.execute(
      { owner: this.#owner, caller: undefined },
      server,
      method,
      params,
      options,
    );
    if ("result" in reply) return reply.result;
    throw new FleetError("UPSTREAM_PROTOCOL", `${server}: ${reply.error.message}`, { data: { error: reply.error } });
  }

  /** What runs, and how well. */
  async status(): Promise<GatewayStatus | undefined> {
    return (await this.#gateway)?.status();
  }

  /** Ends the servers. */
  async close(): Promise<void> {
    const gateway = await this.#gateway;
    this.#gateway = undefined;
    await gateway?.close();
  }
}
