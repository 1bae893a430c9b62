import { createHash } from "node:crypto";
import { withoutSecrets } from "../secret-guard.ts";
import type { Server } from "./schema/index.ts";

/** Stands for what people need not see. */
const hidden = "…";
const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-[^}]*)?\}/g;
const onlyReference = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;
/** Segments of paths that say nothing but where MCP is served. Others can be keys, as in `https://host/s/KEY/mcp`. */
const knownSegments = new Set(["", "mcp", "sse", "ws", "message", "messages", "api", "v1", "v2", "server", "servers"]);
/** Commands whose first argument that is no option names the package that they run. */
const runners = /(^|\/)(npx|bunx|uvx|pnpx)$/;
const packageName = /^(@[a-z0-9][a-z0-9._~-]*\/)?[a-z0-9][a-z0-9._~-]*(@[0-9A-Za-z.+-]+)?$/;
/** A file of a program, of which the name is shown. */
const script = /^(?:[^\s]*\/)?([\w.-]{1,60}\.(?:[cm]?[jt]s|py|rb|sh|jar|php))$/;
/** The length of keys begins beyond that of packages' names. */
const maxPackage = 60;
/** Hexadecimal digits: enough for the instances of one server, too few to find a key by. */
const digestLength = 6;

/**
 * An address as people may see it: scheme, host and port, the well-known segments of its path, and `…` for each other
 * one. User information, query and fragment are left out, because keys stand there. References stay references.
 */
export function shownAddress(address: string): string {
  const text = address.replace(reference, "${$1}");
  if (onlyReference.test(text) || text.startsWith("file:")) return text;
  const [, scheme = "", authority = "", path = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?([^/?#]*)([^?#]*)/i.exec(text) ?? [];
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const segments = path.split("/").map((segment) => (shows(segment) ? segment : hidden));
  return withoutSecrets(`${scheme}${host}${segments.join("/")}`);
}

const shows = (segment: string): boolean => knownSegments.has(segment) || onlyReference.test(segment);

/**
 * How people call an instance that is reached at an address: the address as they may see it, and, where something is
 * left out of it, a digest that tells it from others of its kind.
 */
export function shownInstance(address: string): string {
  const shown = shownAddress(address);
  if (shown === address) return address;
  return `${shown}#${createHash("sha256").update(address).digest("hex").slice(0, digestLength)}`;
}

/**
 * A command line as people may see it: the command, the package or the script that it runs, references, and `…` for other
 * arguments.
 */
function shownCommand(command: string, args: readonly string[]): string {
  const program = args.findIndex((word) => !word.startsWith("-"));
  const words = [command.replace(reference, "${$1}")];
  for (const [index, arg] of args.entries()) {
    const text = arg.replace(reference, "${$1}");
    const named = index === program ? programOf(command, text) : undefined;
    const word = named ?? (onlyReference.test(text) ? text : hidden);
    if (word !== hidden || words.at(-1) !== hidden) words.push(word);
  }
  return words.join(" ");
}

/** The package of a runner such as `npx`, or the name of a script; undefined for what can be anything else. */
function programOf(command: string, word: string): string | undefined {
  if (runners.test(command)) return word.length <= maxPackage && packageName.test(word) ? word : undefined;
  return script.exec(word)?.[1];
}

/** The part of a server that says where its instances come from. */
export interface SourcedServer extends Pick<Server, "process" | "discovery"> {
  readonly endpoints?: readonly string[] | undefined;
}

/**
 * Where the instances of a `custom` server come from, for people. `server` is the configuration as it was written,
 * before its references are resolved, so that no resolved value can appear.
 */
export function shownSource({ process, endpoints, discovery }: SourcedServer): string {
  if (process !== undefined) return shownCommand(process.command, process.args ?? []);
  const { static: listed = [], dns, kubernetes, docker } = discovery ?? {};
  return [
    ...[...(endpoints ?? []), ...listed.map(({ url }) => url)].map(shownAddress),
    ...(dns === undefined ? [] : [`dns ${dns.name}`]),
    ...(kubernetes === undefined ? [] : [`kubernetes ${kubernetes.service}`]),
    ...(docker === undefined ? [] : [`docker ${docker.label}`]),
  ].join(", ");
}
