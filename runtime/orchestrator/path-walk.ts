import { lstatSync, readlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** A path followed to its end, as path_resolution(7) says. */
export interface PathWalk {
  /** What the path leads to, without links. */
  readonly real: string;
  /** The path as it reads at the beginning and after each link; the last one is `real`. */
  readonly names: readonly string[];
  /** Every directory entry on the way. The folder that holds it is a real path. */
  readonly entries: readonly { readonly path: string; readonly link: boolean }[];
}

/** Links in a row after which Linux gives up too (ELOOP). */
const maxLinks = 40;

/** Follows an absolute path. Undefined when it leads nowhere. */
export function walkPath(path: string): PathWalk | undefined {
  const names = [resolve(path)];
  const entries: { path: string; link: boolean }[] = [];
  let rest = partsOf(names[0] as string);
  let at = "/";
  while (rest.length > 0) {
    const part = rest.shift() as string;
    const entry = at === "/" ? `/${part}` : `${at}/${part}`;
    const found = lstatSync(entry, { throwIfNoEntry: false });
    if (found === undefined || names.length > maxLinks) return undefined;
    const link = found.isSymbolicLink();
    entries.push({ path: entry, link });
    if (!link) {
      at = entry;
      continue;
    }
    const target = resolve(dirname(entry), readlinkSync(entry));
    names.push(resolve(target, ...rest));
    rest = [...partsOf(target), ...rest];
    at = "/";
  }
  return { real: at, names, entries };
}

/** Does the folder hold the path, at any depth? A folder does not hold itself. */
export function isBeneath(folder: string, path: string): boolean {
  return path !== folder && path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** Is it the folder, or beneath it? */
export function isWithin(folder: string, path: string): boolean {
  return path === folder || isBeneath(folder, path);
}

const partsOf = (path: string): string[] => path.split("/").filter((part) => part !== "");
