import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FleetError, messageOf } from "../errors.ts";
import { privateFolder } from "../private-files.ts";
import type { SealingKey } from "./sealer.ts";

/** `gateway.session.keys` of a configuration, references resolved. */
export interface ConfiguredKey {
  readonly id: string;
  readonly key: string;
}

const keyBytes = 32;
const keyFile = "session.key";

/**
 * The keys that seal session ids: the configured ones; else one made once and kept in the state folder, so that
 * sessions outlive a restart; else, without a state folder, one for the life of the process.
 */
export async function sessionKeys(
  configured: readonly ConfiguredKey[] | undefined,
  stateDirectory: string | undefined,
): Promise<readonly SealingKey[]> {
  if (stateDirectory !== undefined) privateFolder(stateDirectory);
  if (configured !== undefined) return configured.map(decode);
  if (stateDirectory === undefined) return [{ id: "local", key: randomBytes(keyBytes) }];
  const path = join(stateDirectory, keyFile);
  const text = randomBytes(keyBytes).toString("base64url");
  try {
    await writeFile(path, `${text}\n`, { mode: 0o600, flag: "wx" });
    return [decode({ id: "state", key: text })];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      return [decode({ id: "state", key: (await readFile(path, "utf8")).trim() })];
    const fix = "make the folder writable or choose another one with --state";
    throw new FleetError("STATE_UNWRITABLE", `${path} cannot be written (${messageOf(error)}); ${fix}`, {
      cause: error,
    });
  }
}

function decode({ id, key }: ConfiguredKey): SealingKey {
  const bytes = Buffer.from(key, "base64url");
  if (bytes.length === keyBytes) return { id, key: bytes };
  const fix = "make one with `openssl rand -base64 32`";
  throw new FleetError(
    "CONFIG_INVALID",
    `gateway.session.keys: key "${id}" has ${bytes.length} bytes instead of ${keyBytes}; ${fix}`,
  );
}
