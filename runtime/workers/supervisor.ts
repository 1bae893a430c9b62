import cluster from "node:cluster";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import type { ResolvedConfig, ResolvedServer } from "../config/index.ts";
import { messageOf } from "../errors.ts";
import {
  type Applied,
  type GatewayOptions,
  type GatewayStatus,
  type RunningGateway,
  startGateway,
} from "../gateway.ts";
import { AdminListener } from "../listeners/admin.ts";
import { idleMs } from "../listeners/http-server.ts";
import { claimPort, claimTcpPort } from "../listeners/ports.ts";
import { startLog } from "../observability/logger.ts";
import { sessionKeys } from "../protocol/session-keys.ts";
import type { RefusedChange } from "../registry/fleet-registry.ts";
import { lacks } from "../registry/readiness.ts";
import { isRemote, type Place, supervisorSlot } from "./place.ts";
import { Roster, type Sockets } from "./roster.ts";
import { ServedServers } from "./served-servers.ts";
import { SharedAdmin } from "./shared-admin.ts";
import { Siblings } from "./siblings.ts";
import { Worker } from "./worker.ts";

/** A worker as operators see it. */
export interface WorkerStatus {
  readonly slot: number;
  readonly pid: number;
  readonly startedAt: string;
  /** How often it was started after it had died. */
  readonly restarts: number;
}

/** A gateway of several processes at work. */
export interface RunningWorkers {
  readonly url: string | undefined;
  readonly tcpPort: number | undefined;
  status(): Promise<GatewayStatus & { readonly workers: readonly WorkerStatus[] }>;
  /** Both as of one process. */
  kept(reason: string): void;
  apply(config: ResolvedConfig, secrets: readonly string[]): Promise<Applied>;
  /** Starts new workers, then lets the old ones finish. Rejects, and leaves the old ones, when the new ones cannot serve. */
  replace(): Promise<void>;
  /** `lingerMs`: as in the configuration. */
  close(lingerMs?: number): Promise<void>;
}

/** A worker that served for so long was sound: its end is answered with a start at once. */
const soundAfterMs = 10_000;
const longestDelayMs = 30_000;
/** Beyond the gateway's own drain. */
const marginMs = 5000;

/**
 * Several worker processes over one port. This process serves no clients: it restarts
 * workers that die, replaces them, and runs the servers' processes for all of them.
 */
export async function startWorkers(options: GatewayOptions, count: number): Promise<RunningWorkers> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-fleet-workers-"));
  const supervisor = new Supervisor(options, count, folder);
  try {
    await supervisor.start();
  } catch (error) {
    await supervisor.close();
    throw error;
  }
  return supervisor;
}

class Supervisor implements RunningWorkers {
  url: string | undefined;
  tcpPort: number | undefined;
  readonly #options: GatewayOptions;
  readonly #count: number;
  readonly #folder: string;
  readonly #place: Place;
  readonly #log;
  readonly #workers = new Map<number, Worker>();
  readonly #shared = new SharedAdmin({
    workers: () => [...this.#workers.values()].map(({ socket }) => socket),
    own: (method, url, body) => this.#gateway?.operate(method, url, body),
    isRemote: (name) => this.#config.servers.some((server) => server.name === name && isRemote(server)),
  });
  readonly #failures = new Map<number, number>();
  readonly #restarts = new Map<number, number>();
  #config: ResolvedConfig;
  readonly #served: ServedServers;
  #secrets: readonly string[];
  #gateway: RunningGateway | undefined;
  #admin: AdminListener | undefined;
  #started = 0;
  #closing = false;

  constructor(options: GatewayOptions, count: number, folder: string) {
    this.#options = options;
    this.#count = count;
    this.#folder = folder;
    this.#config = options.config;
    this.#served = new ServedServers(options.config.servers);
    this.#secrets = options.secrets ?? [];
    this.#log = startLog(options.config.gateway.log, () => this.#secrets);
    const socket = join(folder, "supervisor.sock");
    this.#place = {
      ...{ roster: new Roster(supervisorSlot, socket), workers: count, socket },
      processes: join(folder, "processes.sock"),
    };
  }

  async start(): Promise<void> {
    const { config, stateDirectory, onShutdown, reload, succession } = this.#options;
    const { gateway } = config;
    const keys = await sessionKeys(gateway.session.keys, stateDirectory);
    const port = succession === "next" ? gateway.port : await claimPort(gateway.host, gateway.port);
    const { tcp } = gateway.listeners;
    if (succession === "first" && tcp !== undefined) await claimTcpPort(tcp.port);
    const session = { ...gateway.session, keys: keys.map(({ id, key }) => ({ id, key: key.toString("base64url") })) };
    this.#config = { ...config, gateway: { ...gateway, port, session } };
    const own = { ...this.#config, gateway: { ...this.#config.gateway, admin: {}, listeners: {} } };
    this.#gateway = await startGateway(
      { ...this.#options, config: own, place: this.#place, log: this.#log },
      { listen: false },
    );
    const { file } = gateway.log;
    cluster.setupPrimary({
      exec: join(import.meta.dirname, `worker-main${extname(import.meta.filename)}`),
      args: [],
      // Only one process can rotate a file.
      silent: file !== undefined,
    });
    // The first one finds out whether the address can be had.
    const first = await this.#fork(0);
    const { url, tcpPort } = await first.listening;
    this.url = url;
    this.tcpPort = tcpPort;
    this.#workers.set(0, first);
    for (let slot = 1; slot < this.#count; slot += 1) this.#workers.set(slot, await this.#fork(slot));
    await Promise.all([...this.#workers.values()].map((worker) => worker.listening));
    for (const worker of this.#workers.values()) this.#watch(worker);
    this.#announce();
    if (gateway.admin.socket !== undefined) {
      this.#admin = await AdminListener.start(gateway.admin.socket, {
        status: () => this.status(),
        reload: reload ?? (async () => {}),
        shutdown: onShutdown ?? (() => {}),
        // Its workers listen since they were started.
        listen: async () => {},
        replaceWorkers: () => this.replace(),
        operate: (method, url, body) => this.#shared.handle(method, url, body),
      });
    }
    this.#log.log.info({ url, workers: this.#count }, "workers serve");
  }

  async status() {
    const { pid, startedAt } = (this.#gateway as RunningGateway).status();
    const own = this.#gateway?.status().servers ?? [];
    const servers = await new Siblings(this.#place).statuses(own);
    const health = new Map(servers.map((server) => [server.name, server.health]));
    const lacking = this.#config.servers.some((server) => lacks(server, health.get(server.name) ?? "starting"));
    const ready = !this.#closing && !lacking;
    const workers = [...this.#workers.values()].map(({ slot, pid: of, startedAt: since }) => {
      return { slot, pid: of, startedAt: since, restarts: this.#restarts.get(slot) ?? 0 };
    });
    return { pid, startedAt, url: this.url, ready, servers, workers };
  }

  kept(reason: string): void {
    this.#gateway?.kept(reason);
  }

  async apply(config: ResolvedConfig, secrets: readonly string[]): Promise<Applied> {
    const { session, port } = this.#config.gateway;
    this.#config = {
      ...config,
      gateway: { ...config.gateway, port, session: { ...config.gateway.session, keys: session.keys } },
    };
    this.#secrets = secrets;
    const own = { ...this.#config, servers: this.#served.wanted(config.servers) };
    const applied = (this.#gateway as RunningGateway).apply(own, secrets);
    const told = this.#tellWorkers();
    const { changes } = await applied;
    return { changes: this.#settled(own.servers, config.servers, changes, told) };
  }

  /** Workers take over a changed server when its processes serve here. They reach servers at endpoints themselves. */
  async #settled(
    own: readonly ResolvedServer[],
    wanted: readonly ResolvedServer[],
    changes: Applied["changes"],
    told: Promise<readonly RefusedChange[]>,
  ): Promise<readonly RefusedChange[]> {
    const [here, there] = [await changes, await told];
    const refused = [...here, ...there];
    if (!this.#served.isLatest(wanted)) return refused;
    if (this.#served.settle(here)) refused.push(...(await this.#tellWorkers()));
    // What workers have reached elsewhere is not run here any more.
    const names = new Set(there.map(({ server }) => server));
    const servers = own.map((server, at) => (names.has(server.name) ? server : (wanted[at] as ResolvedServer)));
    const moved = servers.some((server, at) => server !== own[at]);
    if (moved) await this.#gateway?.apply({ ...this.#config, servers }, this.#secrets);
    return refused;
  }

  async #tellWorkers(): Promise<readonly RefusedChange[]> {
    const [config, secrets] = [this.#ofWorkers(), this.#secrets];
    const answers = await Promise.all([...this.#workers.values()].map((worker) => worker.apply(config, secrets)));
    return [...new Map(answers.flat().map((change) => [change.server, change])).values()];
  }

  async replace(): Promise<void> {
    const old = [...this.#workers.values()];
    this.#log.log.info({ workers: old.map(({ pid }) => pid) }, "replacing workers");
    const fresh = await Promise.all(old.map(({ slot }) => this.#fork(slot)));
    try {
      await Promise.all(fresh.map((worker) => worker.listening));
      await Promise.all(fresh.map(({ socket }) => this.#shared.replay(socket)));
    } catch (error) {
      await Promise.all(fresh.map((worker) => worker.drain(0)));
      throw error;
    }
    for (const worker of fresh) {
      this.#workers.set(worker.slot, worker);
      this.#watch(worker);
    }
    this.#announce(old);
    await Promise.all(old.map((worker) => this.#drain(worker, idleMs)));
    this.#log.log.info({ workers: fresh.map(({ pid }) => pid) }, "workers replaced");
  }

  async close(lingerMs?: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await Promise.all([...this.#workers.values()].map((worker) => this.#drain(worker, lingerMs)));
    await this.#gateway?.close();
    await this.#admin?.close();
    await this.#log.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #fork(slot: number): Promise<Worker> {
    this.#started += 1;
    const socket = join(this.#folder, `${slot}-${this.#started}.sock`);
    const child = cluster.fork();
    const { stdout, stderr } = child.process;
    for (const output of [stdout, stderr]) output?.on("data", (lines: Buffer) => this.#log.write(lines.toString()));
    const worker: Worker = new Worker(slot, socket, child, (network) => {
      for (const other of this.#workers.values()) if (other !== worker) other.tell({ kind: "failure", network });
    });
    const { workers, processes } = this.#place;
    worker.tell({
      ...{ kind: "start", slot, place: { workers, processes, socket }, sockets: this.#sockets() },
      ...{ config: this.#ofWorkers(), secrets: this.#secrets },
      stateDirectory: this.#options.stateDirectory,
      succession: this.#options.succession,
    });
    return worker;
  }

  /** What workers are told of the configuration: lines to standard error, no admin listener. */
  #ofWorkers(): ResolvedConfig {
    const { gateway } = this.#config;
    const { file: _ours, ...log } = gateway.log;
    return { ...this.#config, servers: this.#served.servers, gateway: { ...gateway, log, admin: {} } };
  }

  #sockets(): Sockets {
    const workers = [...this.#workers.values()].map(({ slot, socket }) => [slot, socket]);
    return Object.fromEntries([[supervisorSlot, this.#place.socket], ...workers]);
  }

  /** Tells everybody who serves now, also those that are about to leave. */
  #announce(leaving: readonly Worker[] = []): void {
    const sockets = this.#sockets();
    this.#place.roster.update(sockets);
    for (const worker of [...this.#workers.values(), ...leaving]) worker.tell({ kind: "roster", sockets });
  }

  /** Starts another one when it dies, at once or with doubling delays. */
  #watch(worker: Worker): void {
    const since = Date.now();
    void worker.ended.then(async () => {
      if (this.#closing || this.#workers.get(worker.slot) !== worker) return;
      this.#workers.delete(worker.slot);
      this.#announce();
      const failures = Date.now() - since >= soundAfterMs ? 0 : (this.#failures.get(worker.slot) ?? 0) + 1;
      this.#failures.set(worker.slot, failures);
      this.#log.log.error({ worker: worker.slot, pid: worker.pid, failures }, "a worker died");
      await this.#restart(worker.slot, failures);
    });
  }

  async #restart(slot: number, failures: number): Promise<void> {
    const delayMs = failures <= 1 ? 0 : Math.min(100 * 2 ** failures, longestDelayMs);
    await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
    if (this.#closing || this.#workers.has(slot)) return;
    const worker = await this.#fork(slot);
    this.#restarts.set(slot, (this.#restarts.get(slot) ?? 0) + 1);
    try {
      await worker.listening;
      await this.#shared.replay(worker.socket);
    } catch (error) {
      this.#log.log.error({ worker: slot }, `a worker cannot serve: ${messageOf(error)}`);
      await this.#restart(slot, failures + 1);
      return;
    }
    if (this.#closing) {
      await worker.drain(0);
      return;
    }
    this.#workers.set(slot, worker);
    this.#watch(worker);
    this.#announce();
  }

  #drain(worker: Worker, lingerMs?: number): Promise<void> {
    return worker.drain(this.#config.gateway.drainMs + marginMs, lingerMs);
  }
}
