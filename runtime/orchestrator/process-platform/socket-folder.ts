import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { FleetError, messageOf } from "../../errors.ts";

/** Longest path that a unix socket can have on all systems (sun_path), with room to spare. */
const maxSocketPath = 100;

/** Is a path short enough for a unix socket? */
export const fitsSocket = (path: string): boolean => Buffer.byteLength(path) <= maxSocketPath;

/**
 * The socket of a state folder whose own path is too long for one. It lies in the user's home folder; where that is too
 * long as well, in a folder of the temporary ones that is named after the user. `$XDG_RUNTIME_DIR` is not used: it goes
 * with the last login, and the gateway stays.
 */
export function socketBeyond(stateFolder: string): string {
  const name = `${createHash("sha256").update(stateFolder).digest("hex").slice(0, 32)}.sock`;
  const { homedir, uid } = user();
  const home = join(homedir, ".mcp-fleet", "run", name);
  return homedir !== "" && fitsSocket(home) ? home : join(tmpdir(), `mcp-fleet-${uid}`, name);
}

/**
 * Makes the folder of a socket, for its user alone. Throws STATE_UNWRITABLE when another user has taken it first, or could
 * put another socket into it.
 */
export function ownSocketFolder(socket: string): void {
  const folder = dirname(socket);
  const refuse = (why: string, cause?: unknown) => {
    const fix = "remove it, or choose a shorter state folder (process.stateDirectory, MCP_FLEET_STATE)";
    return new FleetError("STATE_UNWRITABLE", `the folder of the admin socket, ${folder}, ${why}; ${fix}`, { cause });
  };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refuse(`cannot be made (${messageOf(error)})`, error);
  }
  const found = lstatSync(folder);
  if (!found.isDirectory()) throw refuse("is no folder");
  if (!isOurs(found.uid)) throw refuse("belongs to another user");
  if ((found.mode & 0o022) !== 0) throw refuse("can be written to by other users");
}

/** Is what lies at a path the user's own, or that of root? False where nothing lies there. */
export function isOurOwn(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && (found.uid === 0 || isOurs(found.uid));
}

const isOurs = (uid: number): boolean => process.getuid === undefined || uid === process.getuid();

/** Without an entry in the list of users, as in some containers, there is no home folder. */
function user(): { readonly homedir: string; readonly uid: number } {
  try {
    return userInfo();
  } catch {
    return { homedir: "", uid: process.getuid?.() ?? 0 };
  }
}
