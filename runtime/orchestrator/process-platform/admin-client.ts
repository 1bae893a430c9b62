import { existsSync } from "node:fs";
import { request } from "node:http";
import { FleetError, messageOf } from "../../errors.ts";
import type { GatewayStatus } from "../../gateway.ts";
import { isOurOwn } from "./socket-folder.ts";

const defaultTimeoutMs = 10_000;
/** A changed server is given its time to start. */
const reloadTimeoutMs = 150_000;

/** Talks to a running gateway through its admin socket. Rejects with GATEWAY_UNREACHABLE, or CONFIG_INVALID for a refused reload. */
export class AdminClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  status(): Promise<GatewayStatus> {
    return this.#ask("GET", "/status") as Promise<GatewayStatus>;
  }

  /** Resolves when every changed server serves, or its change is refused, as its status says. */
  reload(): Promise<GatewayStatus> {
    return this.#ask("POST", "/reload", reloadTimeoutMs) as Promise<GatewayStatus>;
  }

  /** A gateway that takes over from another one begins to serve. */
  listen(): Promise<GatewayStatus> {
    return this.#ask("POST", "/listen") as Promise<GatewayStatus>;
  }

  async shutdown(): Promise<void> {
    await this.#ask("POST", "/shutdown");
  }

  /** The same for one that another has taken over from: it waits for its clients to go there. */
  async retire(): Promise<void> {
    await this.#ask("POST", "/retire");
  }

  #ask(method: string, path: string, timeout = defaultTimeoutMs): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const unreachable = (error: unknown) =>
        reject(
          new FleetError("GATEWAY_UNREACHABLE", `no gateway answers at ${this.#socketPath} (${messageOf(error)})`, {
            cause: error,
          }),
        );
      // Another user's program could answer for the gateway.
      if (existsSync(this.#socketPath) && !isOurOwn(this.#socketPath)) {
        unreachable(new Error("the socket belongs to another user"));
        return;
      }
      const asked = request({ socketPath: this.#socketPath, method, path, timeout }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", unreachable);
        response.on("end", () => {
          let answer: { message?: string };
          try {
            answer = JSON.parse(Buffer.concat(chunks).toString("utf8"));
          } catch (error) {
            unreachable(error);
            return;
          }
          if ((response.statusCode ?? 500) < 400) resolve(answer);
          else reject(new FleetError("CONFIG_INVALID", answer.message ?? `HTTP ${response.statusCode}`));
        });
      });
      asked.on("timeout", () => asked.destroy(new Error(`no answer within ${timeout} ms`)));
      asked.on("error", unreachable).end();
    });
  }
}
