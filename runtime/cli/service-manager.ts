import { execFile } from "node:child_process";

const pollMs = 100;

/** What a service manager is told of a service (sd_notify(3)). */
export type ServiceState = "READY=1" | "STOPPING=1";

/**
 * Tells systemd what has become of this service, where it wants to know (`Type=notify`). Node.js has no datagram sockets of the unix
 * kind, so systemd-notify(1) says it, and the unit needs `NotifyAccess=all`. Elsewhere it does nothing.
 */
export class ServiceManager {
  readonly #wanted: boolean;
  readonly #tell: (state: ServiceState) => void;

  constructor(env: NodeJS.ProcessEnv = process.env, tell = notify) {
    this.#wanted = env.NOTIFY_SOCKET !== undefined;
    this.#tell = tell;
  }

  tell(state: ServiceState): void {
    if (this.#wanted) this.#tell(state);
  }

  /** Tells that it is ready as soon as it is; the manager's own time limit bounds the wait. */
  tellReadyWhen(ready: () => boolean): void {
    if (!this.#wanted) return;
    if (ready()) this.#tell("READY=1");
    else setTimeout(() => this.tellReadyWhen(ready), pollMs).unref();
  }
}

function notify(state: ServiceState): void {
  execFile("systemd-notify", [state], (error) => {
    if (error !== null) process.stderr.write(`mcp-fleet: systemd was not told ${state}: ${error.message}\n`);
  });
}
