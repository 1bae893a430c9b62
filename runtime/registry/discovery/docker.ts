import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Agent } from "undici";
import { defaults } from "../../config/defaults.ts";
import type { BackendSpec } from "../backend.ts";
import { limitedText } from "../limited-text.ts";
import { addressOf, type Scheme } from "./address.ts";
import { Following } from "./following.ts";
import { type FoundListener, type InstanceDiscovery, maxListBytes } from "./instance-discovery.ts";

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

/** Running containers with a label: reads their list, and again after each event that the engine tells of them. */
export class DockerDiscovery implements InstanceDiscovery {
  readonly name: string;
  readonly #options: DockerDiscoveryOptions;
  readonly #following: Following;
  #agent: Agent | undefined;

  constructor(options: DockerDiscoveryOptions) {
    this.#options = options;
    this.name = `docker ${options.label}`;
    this.#following = new Following({
      ...{ name: this.name, log: options.log, trouble: "containers not listed" },
      follow: (signal, listed) => this.#follow(signal, listed),
    });
  }

  start(listener: FoundListener): void {
    this.#following.start(listener);
  }

  async close(): Promise<void> {
    await this.#following.close();
    await this.#agent?.destroy();
  }

  /** Returns when the engine ends the stream of events. */
  async #follow(signal: AbortSignal, listed: () => void): Promise<void> {
    const filters = { type: ["container"], label: [this.#options.label], event: telling };
    // The stream first: what happens between the two is told.
    const events = await this.#get(`/events?filters=${encodeURIComponent(JSON.stringify(filters))}`, signal);
    await this.#list(signal);
    listed();
    const again = setInterval(() => void this.#list(signal).catch(() => {}), relistMs).unref();
    try {
      for await (const _event of events) {
        await sleep(settlingMs, undefined, { signal });
        await this.#list(signal);
      }
    } finally {
      clearInterval(again);
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const filters = { label: [this.#options.label], status: ["running"] };
    const body = await this.#get(`/containers/json?filters=${encodeURIComponent(JSON.stringify(filters))}`, signal);
    const containers = JSON.parse(await limitedText(body, maxListBytes)) as readonly Container[];
    this.#following.tell(containers.flatMap((container) => this.#specOf(container)));
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

  async #get(path: string, signal: AbortSignal) {
    const { Agent, request } = await import("../../http-client.ts");
    const socketPath = this.#options.socket ?? defaults.discovery.dockerSocket;
    this.#agent ??= new Agent({ connect: { socketPath }, bodyTimeout: 0 });
    const options = { dispatcher: this.#agent, signal };
    const { statusCode, body } = await request(`http://docker${path}`, options);
    if (statusCode === 200) return body;
    throw new Error(`the engine answered HTTP ${statusCode}: ${(await limitedText(body, maxListBytes)).slice(0, 300)}`);
  }
}
