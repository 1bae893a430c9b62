import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, type Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { FleetError, messageOf } from "./errors.ts";

const others = 0o077;
const sticky = 0o1000;

/**
 * A folder that only its owner can look into. An existing one that is looser is narrowed, where it is ours and not a folder
 * that many share, such as `/tmp`. A folder that cannot be made is not an error here: the first write to it fails.
 */
export function privateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const found = lstatSync(path);
    if (found.isDirectory() && isOurs(found) && (found.mode & sticky) === 0 && (found.mode & others) !== 0) {
      chmodSync(path, found.mode & 0o700);
    }
  } catch {
    // Its first file says what is wrong, with a fix.
  }
}

/**
 * Makes a file that is appended to readable and writable for its owner alone, with those that its rotation has left; its
 * folder is made where it is missing. `field` is the setting that names it. Throws STATE_UNWRITABLE, also for a symbolic link: another user
 * could have the lines written elsewhere.
 */
export function privateFile(field: string, path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(
      openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600),
    );
    const rotated = readdirSync(dirname(path)).filter((name) => name.includes(basename(path)));
    for (const name of rotated) narrow(join(dirname(path), name));
  } catch (error) {
    const link = (error as NodeJS.ErrnoException).code === "ELOOP";
    const why = link ? "it is a symbolic link" : messageOf(error);
    const fix = "name a file in a folder that can be written";
    throw new FleetError("STATE_UNWRITABLE", `${field}: ${path} cannot be written (${why}); ${fix}`, { cause: error });
  }
}

/** Takes a plain file of ours from others' eyes. */
export function narrow(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile() && isOurs(found) && (found.mode & others) !== 0) chmodSync(path, found.mode & 0o600);
}

const isOurs = ({ uid }: Stats): boolean => process.getuid === undefined || uid === process.getuid();
