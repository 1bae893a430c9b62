import type { ConnectionPool } from "../pools/index.ts";
import type { BatchedCall, BatchUpstream } from "./batcher.ts";

/** For servers that take no arrays: the calls of a batch go one behind the other over one connection, unanswered. */
export class Pipeline implements BatchUpstream {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  async send(calls: readonly BatchedCall[]): Promise<void> {
    try {
      await this.#pool.use(async (connection) => {
        await Promise.all(
          calls.map(({ method, params, timeoutMs, resolve, reject }) =>
            connection.request(method, params, { timeoutMs }).then(resolve, reject),
          ),
        );
      });
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }

  /** The pool is its owner's. */
  async close(): Promise<void> {}
}
