import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { toolOfSystem } from "./invocation.ts";
import { isWithin } from "./path-walk.ts";

/** Paths of the gateway's own, as a sandbox must know them. */
export interface OwnPaths {
  /** No sandboxed server sees these: the state folder, sockets. */
  readonly hidden: readonly string[];
  /** No sandboxed server writes to these: the gateway runs them, reads them, or writes to them itself. */
  readonly guarded: readonly string[];
}

/** Programs and libraries; where they are links into /usr, they are that inside too. */
export const programs = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"];
/** What libraries read to find names, hosts, authorities, fonts and the time; no keys. */
const system = [
  ...["ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "fonts", "chromium.d"],
  ...["nsswitch.conf", "passwd", "group", "hosts", "resolv.conf"],
  ...["ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "pki/ca-trust", "ca-certificates"],
].map((name) => `/etc/${name}`);
/** Variables of the minimal environment that name files. */
const namedFiles = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];
const packageRoot = join(import.meta.dirname, "../..");

/** What every sandbox reads besides programs. */
export const systemFiles = (): string[] => [...system, ...namedFiles.flatMap((name) => process.env[name] ?? [])];

/** Keys of the configuration whose values are files and sockets that the gateway opens itself. */
const fileKey = /(file|socket)$/i;

/** Paths of files and sockets in a part of the configuration, references to files included. */
export function filesIn(value: unknown, key = ""): string[] {
  if (typeof value === "string") {
    if (value.startsWith("file:")) return [resolve(value.slice("file:".length))];
    return fileKey.test(key) ? [resolve(value)] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  const list = Array.isArray(value);
  return Object.entries(value).flatMap(([name, one]) => filesIn(one, list ? key : name));
}

/** Why a folder must not be written to by a server, given its real path; undefined when it can be. */
export function whyGuarded(path: string, { hidden, guarded }: OwnPaths): string | undefined {
  for (const own of [...hidden, ...guarded].map(real)) {
    if (isWithin(path, own)) return `holds ${own}, which is the gateway's own`;
    if (isWithin(own, path)) return `lies within ${own}, which is the gateway's own`;
  }
  const places = (process.env.PATH ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  const tools = ["bwrap", "prlimit", "sh"].flatMap((name) => toolOfSystem(name) ?? []);
  const code = ["dist", "runtime", "node_modules"].map((name) => join(packageRoot, name));
  const run = [...places, ...tools, process.execPath, ...code].map(real).find((own) => isWithin(path, own));
  if (run !== undefined) return `holds ${run}, from which the gateway runs programs`;
  const seen = [...programs, ...systemFiles()].map(real).find((own) => isWithin(path, own));
  if (seen !== undefined) return `holds ${seen}, which every sandbox reads`;
  const temporary = real(tmpdir());
  return isWithin(path, temporary) ? `holds ${temporary}, where instances have their temporary folders` : undefined;
}

/** Why a path must not be seen by a server, given its real path; undefined when it can be. */
export function whyHidden(path: string, { hidden }: OwnPaths): string | undefined {
  const own = hidden.map(real).find((one) => isWithin(one, path));
  return own && `lies within ${own}, which is the gateway's own`;
}

/** What the path leads to, as far as it is there. */
export function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(real(dirname(path)), basename(path));
  }
}
