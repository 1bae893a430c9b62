import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** An alert as Alertmanager tells it. */
export interface ToldAlert {
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A webhook that remembers what Alertmanager has posted to it. */
export class AlertReceiver {
  readonly #server: Server;
  readonly #alerts: ToldAlert[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        this.#alerts.push(...(JSON.parse(body) as { alerts: ToldAlert[] }).alerts);
        response.end();
      });
    });
  }

  /** Listens at a free port of this address. */
  static async start(host: string): Promise<AlertReceiver> {
    const receiver = new AlertReceiver();
    await new Promise<void>((resolve, reject) => receiver.#server.once("error", reject).listen(0, host, resolve));
    return receiver;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}/alerts`;
  }

  /** The last that was told of this alert and server. */
  last(alert: string, server: string): ToldAlert | undefined {
    return this.#alerts.findLast(({ labels }) => labels.alertname === alert && labels.server === server);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
