import { homedir } from "node:os";
import { serverNamePattern } from "../schema/index.ts";
import type { ClientFile, ClientServer } from "./client-server.ts";
import { credentialsOf } from "./credentials.ts";
import { readDialect } from "./dialects.ts";
import { projectOf } from "./place.ts";
import { type PlaceholderContext, translatePlaceholders } from "./placeholders.ts";
import { presetOf } from "./preset.ts";
import { processOf } from "./process.ts";
import { SecretKeeper } from "./secrets.ts";

type Server = Readonly<Record<string, unknown>>;

/** A configuration made from a client's file, and what its user should know. */
export interface ConvertedConfig {
  readonly servers: Readonly<Record<string, Server>>;
  readonly notes: readonly string[];
}

/**
 * The servers of a client's file as this gateway's configuration has them. Known packages become presets, secrets become
 * references, so that the new file can be shared. Each field without a counterpart is named in a note. `file` is the
 * path of the client's file and decides the folder that relative paths mean; `content` is what it holds, parsed.
 */
export function convertClientFile(file: string, content: unknown): ConvertedConfig {
  const folder = projectOf(file);
  const read = readDialect(file, content, folder);
  const converted: Record<string, Server> = {};
  const notes: string[] = [];
  for (const given of read.servers) {
    const name = freeName(given.name, converted);
    const note = (text: string) => void notes.push(`${name}: ${text}`);
    if (given.disabled) {
      notes.push(`${given.name} was left out: it is disabled`);
      continue;
    }
    const server = converter(name, read, folder, note)({ ...given, name });
    if (typeof server === "string") {
      notes.push(`${given.name} was left out: ${server}`);
      continue;
    }
    converted[name] = server;
    if (name !== given.name) {
      const allowed = new RegExp(serverNamePattern).test(given.name);
      const why = allowed ? "another server has its name" : "names are lower case letters, digits and hyphens";
      notes.push(`${given.name} is called ${name} here: ${why}`);
    }
    if (given.ignored.length > 0) note(`not taken over: ${given.ignored.join(", ")}`);
  }
  return { servers: converted, notes };
}

/** Converts one server; the text that it returns says why it cannot. */
function converter(
  name: string,
  { syntax, inputs }: ClientFile,
  folder: string,
  note: (text: string) => void,
): (server: ClientServer) => Server | string {
  const context: PlaceholderContext = { syntax, inputs, folder, home: homedir(), note };
  const translate = (text: string) => translatePlaceholders(text, context);
  const secrets = new SecretKeeper(name, note);
  return (server) => {
    const remote = server.url !== undefined && server.transport !== "stdio";
    if (!remote && server.command === undefined) return "it has neither command nor url";
    const preset = remote ? undefined : presetOf(server);
    if (preset !== undefined) return { ...preset, ...commonOf(server) };
    if (!remote) {
      return { type: "custom", process: processOf(server, { folder, secrets, translate, note }), ...commonOf(server) };
    }
    const given = translate(server.url as string);
    // User information has no place in an endpoint: it goes as a header, as clients send it.
    const url = given.replace(/^([a-z][a-z0-9+.-]*:\/*)[^/?#]*@/i, "$1");
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
    if (scheme !== undefined && !/^(https?|wss?)$/.test(scheme)) return `${scheme}: URLs are not supported`;
    const sse = server.transport === "sse" || (server.transport === undefined && /\/sse\/?($|\?)/.test(url));
    const headers = Object.fromEntries(Object.entries(server.headers).map(([key, text]) => [key, translate(text)]));
    const basic =
      url === given ? undefined : { scheme: "Basic", value: secrets.keep("user:password", server.name, "basic") };
    if (basic !== undefined) note(`${basic.value} stands for user:password of its URL in Base64`);
    const credentials = credentialsOf({ ...server, headers }, secrets, note) ?? (basic && { header: basic });
    return {
      type: "custom",
      endpoints: [secrets.url(url)],
      ...(sse && { protocol: "sse" }),
      ...(credentials && { credentials }),
      ...commonOf(server),
    };
  };
}

/** What a server has wherever it runs. */
function commonOf({ requestMs, connectMs, allow, deny }: ClientServer): Server {
  // A client that has both lists takes what is allowed and not denied; a configuration has one of them.
  const tools = allow && { allow: allow.filter((tool) => deny?.includes(tool) !== true) };
  return {
    ...((requestMs ?? connectMs) !== undefined && {
      timeouts: { ...(connectMs !== undefined && { connectMs }), ...(requestMs !== undefined && { requestMs }) },
    }),
    ...((tools ?? deny) !== undefined && { tools: tools ?? { deny } }),
  };
}

function freeName(given: string, taken: Readonly<Record<string, unknown>>): string {
  const slug = given
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 28)
    .replace(/^-+|-+$/g, "");
  const base = new RegExp(serverNamePattern).test(slug) ? slug : "server";
  let name = base;
  for (let count = 2; Object.hasOwn(taken, name); count += 1) name = `${base}-${count}`;
  return name;
}
