import { type Connect, outgoingConnector } from "../outgoing/proxied-connector.ts";
import type { Fetch } from "./upstream-tls.ts";

interface Connections {
  readonly ask: Fetch;
  close(): Promise<void>;
}

/** `fetch` over connections of its own, which can be given up together when what comes on one of them is not to be trusted. */
export class FetchPool {
  readonly #connect: (() => Promise<Connect>) | undefined;
  #connections: Promise<Connections> | undefined;

  /** `connect` opens connections; defaults to ordinary ones. */
  constructor(connect?: () => Promise<Connect>) {
    this.#connect = connect;
  }

  /** Like the global one. */
  readonly fetch: Fetch = async (url, init) => {
    this.#connections ??= this.#open();
    return (await this.#connections).ask(url, init);
  };

  /** Requests that come now get new connections; those under way come to their end. */
  renew(): void {
    const old = this.#connections;
    this.#connections = undefined;
    void old?.then(({ close }) => close()).catch(() => {});
  }

  async #open(): Promise<Connections> {
    const { Agent, fetch } = await import("../http-client.ts");
    const connect = (await this.#connect?.()) ?? (await outgoingConnector());
    const dispatcher = new Agent({ connect });
    return {
      ask: (url, init) => fetch(url, { ...(init as object), dispatcher }) as unknown as Promise<Response>,
      close: () => dispatcher.close(),
    };
  }
}
