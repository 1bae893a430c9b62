import type { FailureShare } from "../failure-limit.ts";
import type { RedisCommands } from "./shared-buckets.ts";

/** Counts up, and lets the count end with its window. */
const script = `
local count = redis.call('INCR', KEYS[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
`;
const windowMs = "60000";

/**
 * Failures of all gateways that share a Redis. A network that another gateway holds off is held off here from its first failure on.
 * While Redis is away each gateway counts alone.
 */
export class SharedFailures implements FailureShare {
  readonly #redis: RedisCommands;
  readonly #prefix: string;
  readonly #siblings: FailureShare | undefined;

  /** `siblings`: the other workers of this gateway, which are told as well. */
  constructor(redis: RedisCommands, prefix: string, siblings: FailureShare | undefined) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#siblings = siblings;
  }

  async tell(network: string): Promise<number | undefined> {
    void this.#siblings?.tell(network);
    if (!this.#redis.ready) return undefined;
    try {
      const total = await this.#redis.send(["EVAL", script, "1", `${this.#prefix}:{failures}:${network}`, windowMs]);
      return typeof total === "number" && Number.isSafeInteger(total) ? total : undefined;
    } catch {
      return undefined;
    }
  }

  listen(heard: (network: string) => void): void {
    this.#siblings?.listen(heard);
  }
}
