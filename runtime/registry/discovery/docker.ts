import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Agent } from "undici";
import { defaults } from "../../config/defaults.ts";
import { messageOf } from "../../errors.ts";
import type { BackendSpec } from "../backend.ts";
import { addressOf, type Scheme } from "./address.ts";
import type { FoundListener, InstanceDiscovery } from "./instance-discovery.ts";

export interface DockerDiscoveryOptions {
  /** `name` or `name=value`. */
  readonly label: string;
  readonly network?: string;
  readonly port?: number;
  readonly path?: string;
  readonly socket?: string;
  readonly scheme: Scheme;
  readonly log: Logger;
}

/** The part of an entry of `GET /containers/json` (Docker Engine API) that is read. */
interface Container {
  readonly Id: string;
  /** `Up 5 minutes (healthy)`. */
  readonly Status: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
}

/** Events after which the list is read again. */
const telling = ["start", "die", "health_status", "pause", "unpause", "destroy"];
/** The engine tells of some changes before its list shows them: a moment, or seconds on a busy machine. */
const settlingMs = 100;
const relistMs = 5000;
const longestPauseMs = 30_000;

/** Running containers with a label: reads their list, and again after each event that the engine tells of them. */
export class DockerDiscovery implements InstanceDiscovery {
  readonly name: string;
  readonly #options: DockerDiscoveryOptions;
  readonly #abort = new AbortController();
  #listener: FoundListener = () => {};
  #agent: Agent | undefined;
  #last = "";
  #done: Promise<void> = Promise.resolve();

  constructor(options: DockerDiscoveryOptions) {
    this.#options = options;
    this.name = `docker ${options.label}`;
  }

  start(listener: FoundListener): void {
    this.#listener = listener;
    this.#done = this.#run();
  }

  async close(): Promise<void> {
    this.#listener = () => {};
    this.#abort.abort();
    await this.#done;
    await this.#agent?.destroy();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#follow(() => {
          failures = 0;
        });
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log.warn({ discovery: this.name }, `containers not listed: ${messageOf(error)}; trying again`);
      }
      failures += 1;
      await sleep(Math.min(250 * 2 ** failures, longestPauseMs), undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Returns when the engine ends the stream of events. */
  async #follow(listed: () => void): Promise<void> {
    const filters = { type: ["container"], label: [this.#options.label], event: telling };
    // The stream first: what happens between the two is told.
    const events = await this.#get(`/events?filters=${encodeURIComponent(JSON.stringify(filters))}`);
    await this.#list();
    listed();
    const again = setInterval(() => void this.#list().catch(() => {}), relistMs).unref();
    try {
      for await (const _event of events) {
        await sleep(settlingMs, undefined, { signal: this.#abort.signal });
        await this.#list();
      }
    } finally {
      clearInterval(again);
    }
  }

  async #list(): Promise<void> {
    const filters = { label: [this.#options.label], status: ["running"] };
    const body = await this.#get(`/containers/json?filters=${encodeURIComponent(JSON.stringify(filters))}`);
    const containers = (await body.json()) as readonly Container[];
    const found = containers.flatMap((container) => this.#specOf(container));
    const sorted = found.toSorted((a, b) => (a.address < b.address ? -1 : 1));
    const text = JSON.stringify(sorted);
    if (text !== this.#last) this.#listener(sorted);
    this.#last = text;
  }

  #specOf({ Id, Status, Labels, NetworkSettings }: Container): BackendSpec[] {
    const { network, port = defaults.discovery.dockerPort, path, scheme, log } = this.#options;
    if (Status.includes("(unhealthy)") || Status.includes("(Paused)")) return [];
    const networks = NetworkSettings.Networks;
    const host = (network === undefined ? Object.values(networks)[0] : networks[network])?.IPAddress ?? "";
    if (host === "") {
      log.warn({ discovery: this.name, container: Id.slice(0, 12) }, "left out: it has no address in the network");
      return [];
    }
    const label = (name: string) => Labels[`mcp-fleet.${name}`];
    const number = (name: string) => {
      const text = label(name);
      return text !== undefined && /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined;
    };
    const [weight, zone] = [number("weight"), label("zone")];
    return [
      {
        address: addressOf(scheme, host, number("port") ?? port, label("path") ?? path),
        ...(weight === undefined ? {} : { weight }),
        ...(zone === undefined ? {} : { zone }),
      },
    ];
  }

  async #get(path: string) {
    const { Agent, request } = await import("../../http-client.ts");
    const socketPath = this.#options.socket ?? defaults.discovery.dockerSocket;
    this.#agent ??= new Agent({ connect: { socketPath }, bodyTimeout: 0 });
    const options = { dispatcher: this.#agent, signal: this.#abort.signal };
    const { statusCode, body } = await request(`http://docker${path}`, options);
    if (statusCode === 200) return body;
    throw new Error(`the engine answered HTTP ${statusCode}: ${(await body.text()).slice(0, 300)}`);
  }
}
