import { request } from "node:http";
import { json } from "node:stream/consumers";
import type { FleetStatus } from "../registry/fleet-status.ts";
import { mergedStatus } from "./merged-status.ts";
import { type Place, supervisorSlot } from "./place.ts";

/** A process that does not answer for so long is left out. */
const patienceMs = 2000;

/** Asks the gateway's other processes. One that is just dying answers nothing, and is left out. */
export class Siblings {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  /** The whole gateway's fleets, with those of this process. */
  async statuses(own: readonly FleetStatus[]): Promise<readonly FleetStatus[]> {
    const { roster } = this.#place;
    const workers = (await askAll(roster.workers, "/internal/status")) as FleetStatus[][];
    if (roster.slot === supervisorSlot) return mergedStatus(workers, own);
    const [supervisor = []] = (await askAll(this.#supervisor, "/internal/status")) as FleetStatus[][];
    return mergedStatus([own, ...workers], supervisor);
  }

  /** The others' metrics, in prom-client's JSON. */
  metrics(): Promise<readonly object[]> {
    return askAll([...this.#place.roster.workers, ...this.#supervisor], "/internal/metrics") as Promise<object[]>;
  }

  get #supervisor(): readonly string[] {
    const { roster } = this.#place;
    const socket = roster.slot === supervisorSlot ? undefined : roster.socketOf(supervisorSlot);
    return socket === undefined ? [] : [socket];
  }
}

async function askAll(sockets: readonly string[], path: string): Promise<unknown[]> {
  const answers = await Promise.allSettled(sockets.map((socketPath) => askProcess(socketPath, path)));
  return answers.filter((answer) => answer.status === "fulfilled").map(({ value }) => value);
}

/** Asks one process of the gateway, with a body by POST. Rejects when it does not answer. */
export function askProcess(socketPath: string, path: string, body?: object): Promise<unknown> {
  const method = body === undefined ? "GET" : "POST";
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method, agent: false, timeout: patienceMs }, (answer) => {
      json(answer).then(resolve, reject);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}
