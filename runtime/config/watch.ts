import { type FSWatcher, watch } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../errors.ts";
import { extensions, type LoadedConfig, loadConfig } from "./load.ts";

export interface WatchOptions {
  readonly path: string;
  /** What is in force now. */
  readonly initial: LoadedConfig;
  /** A right configuration that differs from the one in force. */
  readonly onChange: (loaded: LoadedConfig) => Following | undefined | Promise<Following | undefined>;
  /** A wrong one; the one in force stays. The same mistake is told once. */
  readonly onError: (error: unknown) => void;
  /** Writers take several steps; they are waited for so long. Defaults to 100 ms. */
  readonly debounceMs?: number;
}

/** What of a change goes on after the next one has been read. */
export interface Following {
  readonly changes: Promise<unknown>;
}

/** Watches a configuration until it is closed. */
export interface ConfigWatcher {
  /** Reads it now; resolves when nothing of it is under way any more. Rejects when it is wrong. */
  reload(): Promise<void>;
  close(): void;
}

/**
 * Reloads a configuration when its files change: atomically, because a wrong one is not taken over. Watches the folders
 * and not the files, since editors and Kubernetes replace files instead of writing into them.
 */
export function watchConfig(options: WatchOptions): ConfigWatcher {
  const { path, onChange, onError, debounceMs = 100 } = options;
  const watchers = new Map<string, FSWatcher>();
  let current = options.initial;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  /** What is wrong with the files as they are now. */
  let wrong: string | undefined;
  let queue: Promise<void> = Promise.resolve();
  let following: Following | undefined;

  const load = async () => {
    if (closed) return;
    const next = await loadConfig(path);
    if (closed) return;
    // One that is right again is told of too.
    const changed =
      wrong !== undefined ||
      !isDeepStrictEqual(next.config, current.config) ||
      !isDeepStrictEqual(next.secrets, current.secrets);
    current = next;
    wrong = undefined;
    follow();
    if (changed) following = await onChange(next);
  };
  // One after the other: an older file must not overtake a newer one.
  const reload = () => {
    const loading = queue.then(load);
    queue = loading.catch(() => {});
    return loading.then(async () => {
      await following?.changes;
    });
  };
  const failed = (error: unknown) => {
    const told = wrong;
    wrong = messageOf(error);
    if (wrong !== told) onError(error);
  };
  // While the files are wrong, one that is missing can come under any name. Else a log in the same folder is none of them.
  const concerned = (name: string | null) =>
    wrong !== undefined ||
    name === null ||
    // Kubernetes replaces all files of a folder by a link.
    name.startsWith("..") ||
    extensions.has(extname(name)) ||
    [path, ...current.files].some((file) => basename(file) === name);
  const changed = (_event: string, name: string | null) => {
    if (!concerned(name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => void reload().catch(failed), debounceMs);
  };
  const follow = () => {
    for (const folder of new Set([path, join(path, "servers"), ...current.files.map(dirname)])) {
      if (watchers.has(folder)) continue;
      try {
        watchers.set(
          folder,
          watch(folder, changed).on("error", () => watchers.delete(folder)),
        );
      } catch {
        // A folder that is not there yet is looked for after the next change.
      }
    }
  };
  follow();
  return {
    reload,
    close() {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}
