import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity, signalGroup } from "./process-identity.ts";
import { endStrays } from "./strays.ts";

/** A running process and what it leaves on disk. */
export interface ProcessRecord extends ProcessIdentity {
  /** The instance's temporary folder. */
  readonly folder: string;
  /** The gateway that runs it. Absent in records of earlier versions. */
  readonly gateway?: ProcessIdentity | undefined;
}

/**
 * One small file per running process, so that a gateway which was killed leaves nothing for ever: the next one reads
 * them and ends what is still there. Where two gateways work in one folder, because one follows the other, each has the
 * processes of its own records.
 */
export class ProcessRecords {
  readonly #folder: string;
  readonly #gateway = identify(process.pid);

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Throws when it cannot be written. The folder is made again when it has gone. */
  add({ pid, startedAt, folder }: ProcessRecord): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const record: ProcessRecord = { pid, startedAt, folder, gateway: this.#gateway };
    writeFileSync(this.#path(pid), JSON.stringify(record), { mode: 0o600 });
  }

  /** A record that stays is dropped by the next sweep: its process has gone. */
  remove(pid: number): void {
    try {
      rmSync(this.#path(pid), { force: true });
    } catch {
      // The process ends all the same.
    }
  }

  /** Kills what earlier gateways left, with its process group, strays and temporary folder. Resolves with how many still lived. */
  async sweep(): Promise<number> {
    let killed = 0;
    for (const name of readdirSync(this.#folder)) {
      const record = parse(join(this.#folder, name));
      // Another gateway that lives looks after it.
      if (record?.gateway !== undefined && record.gateway.pid !== process.pid && isAlive(record.gateway)) continue;
      if (record !== undefined) {
        const ended = new Set<number>();
        if (isAlive(record)) {
          ended.add(record.pid);
          signalGroup(record.pid, "SIGKILL");
        }
        // Also waits for the process itself, which can be there for a moment after its signal.
        for (const { pid } of await endStrays(record.folder, [record])) ended.add(pid);
        killed += ended.size;
        rmSync(record.folder, { recursive: true, force: true, maxRetries: 5 });
      }
      rmSync(join(this.#folder, name), { force: true });
    }
    return killed;
  }

  #path(pid: number): string {
    return join(this.#folder, `${pid}.json`);
  }
}

/** A record that was cut short says nothing: it is dropped. */
function parse(path: string): ProcessRecord | undefined {
  try {
    const { pid, startedAt, folder, gateway } = JSON.parse(readFileSync(path, "utf8")) as ProcessRecord;
    return typeof pid === "number" && typeof startedAt === "string" && typeof folder === "string"
      ? { pid, startedAt, folder, gateway }
      : undefined;
  } catch {
    return undefined;
  }
}
