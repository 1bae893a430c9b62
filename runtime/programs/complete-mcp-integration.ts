import { type Log, type Server, ServerType } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";
import type { GatewayStatus } from "../gateway.ts";
import type { Params } from "../protocol/json-rpc.ts";
import { type ExecuteOptions, ProgramGateway } from "./program-gateway.ts";

type LogLevel = NonNullable<Log["level"]>;

export interface CompleteMCPIntegrationOptions {
  /** Defaults to `warn`. */
  readonly logLevel?: LogLevel;
  /** Settings of the servers as in a configuration file, by their names. Defaults to the four presets as they are. */
  readonly servers?: Readonly<Record<string, Server>>;
}

const productionServers: Readonly<Record<string, Server>> = Object.fromEntries(
  [ServerType.Context7, ServerType.Sequential, ServerType.Magic, ServerType.Playwright].map((type) => [type, { type }]),
);

/** The four preset servers, or others, in this process, without a port: for programs that want to call them directly. */
export class CompleteMCPIntegration {
  readonly #gateway: ProgramGateway;
  readonly #servers: Readonly<Record<string, Server>>;
  #started = false;

  constructor({ logLevel = "warn", servers = productionServers }: CompleteMCPIntegrationOptions = {}) {
    this.#gateway = new ProgramGateway({ log: { level: logLevel } });
    this.#servers = servers;
  }

  /** Starts the servers; resolves when each one serves. Rejects when one cannot. */
  async setupProductionServers(): Promise<void> {
    this.#started = true;
    await this.#gateway.add(this.#servers);
  }

  /** Calls an MCP method, a tool, or an alias of one; returns the server's own result. Rejects with its error. */
  async executeRequest(
    server: string,
    method: string,
    params: Params = {},
    options: ExecuteOptions = {},
  ): Promise<unknown> {
    if (!this.#started) throw new FleetError("SERVER_UNKNOWN", "no server runs; call setupProductionServers() first");
    return this.#gateway.execute(server, method, params, options);
  }

  /** What runs, and how well; undefined before the servers were started. */
  status(): Promise<GatewayStatus | undefined> {
    return this.#gateway.status();
  }

  /** Rates, latencies, errors and bounds as Prometheus' text, with or without a port; undefined before the first server. */
  metrics(): Promise<string | undefined> {
    return this.#gateway.metrics();
  }

  /** Ends the servers. */
  async close(): Promise<void> {
    this.#started = false;
    await this.#gateway.close();
  }
}
