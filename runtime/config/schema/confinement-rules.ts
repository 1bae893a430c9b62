import { posix } from "node:path";
import type { ConfigIssue, ConfigPath } from "./issue.ts";
import type { Server } from "./server.ts";

type Add = (field: ConfigPath, message: string, fix: string) => void;

/** What a sandbox has of its own, and what would show everything. */
export const isWithheld = (path: string): boolean => withheld.test(path);
const withheld = /^\/+(\.?\/+)*((proc|dev)(\/.*)?)?$|(^|\/)\.\.(\/|$)/;

/** What JSON Schema cannot say of what confines processes: there must be one that the gateway starts. */
export function confinementRules({ limits, sandbox, endpoints, discovery }: Server, add: Add): void {
  const { read = [], write = [] } = sandbox ?? {};
  for (const [key, paths] of Object.entries({ read, write })) {
    const index = paths.findIndex(isWithheld);
    const why = "which holds more than a server may see";
    if (index >= 0)
      add(["sandbox", key, index], `is "${paths[index]}", ${why}`, "name the folders that it needs, without ..");
  }
  if ((endpoints ?? discovery) === undefined) return;
  const fix = "remove it; set it where the server runs";
  for (const [key, block] of Object.entries({ limits, sandbox })) {
    if (block !== undefined) add([key], "is set for a server that something else runs", fix);
  }
}

/**
 * No server is given a path within a folder that a sandboxed server can write to: that one can put a link in its place. A
 * working directory within the server's own folders is looked up inside. What links lead to is looked at when servers start.
 */
export function nestingRules(servers: Readonly<Record<string, Server>>): ConfigIssue[] {
  const folders = Object.entries(servers).flatMap(([server, { sandbox }]) =>
    (sandbox?.write ?? []).map((path) => ({ server, path: normal(path) })),
  );
  const issues: ConfigIssue[] = [];
  const check = (field: ConfigPath, text: string, can: (server: string) => boolean) => {
    const found = folders.find(({ server, path }) => can(server) && normal(text).startsWith(`${path}/`));
    if (found === undefined) return;
    const message = `is "${text}", which lies within ${found.path}, where server "${found.server}" can put links`;
    issues.push({ path: field, message, fix: "name a path outside of it, or the folder itself" });
  };
  for (const [name, { sandbox, process }] of Object.entries(servers)) {
    if (sandbox === undefined) continue;
    const { read = [], write = [] } = sandbox;
    for (const [key, paths] of Object.entries({ read, write }))
      for (const [index, path] of paths.entries()) check(["servers", name, "sandbox", key, index], path, () => true);
    if (process?.cwd === undefined || within(process.cwd, [...read, ...write])) continue;
    check(["servers", name, "process", "cwd"], process.cwd, (server) => server !== name);
  }
  return issues;
}

const normal = (path: string): string => posix.resolve("/", path);
const within = (path: string, folders: readonly string[]): boolean =>
  folders.map(normal).some((folder) => normal(path) === folder || normal(path).startsWith(`${folder}/`));
