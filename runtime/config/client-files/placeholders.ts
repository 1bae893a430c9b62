import { basename, resolve, sep } from "node:path";
import type { ClientFile } from "./client-server.ts";

/** What a client's placeholders stand for. */
export interface PlaceholderContext {
  readonly syntax: ClientFile["syntax"];
  readonly inputs: ClientFile["inputs"];
  /** The project's folder, absolute. */
  readonly folder: string;
  /** The user's home folder. */
  readonly home: string;
  /** Takes a sentence that the user is to read. */
  readonly note: (text: string) => void;
}

const reference = /^[A-Za-z_][A-Za-z0-9_]*(:-.*)?$/s;
const inBraces = /\$\{([^}]*)\}/g;
const inDoubleBraces = /\$\{\{\s*(?:secrets|inputs)\.([A-Za-z0-9_.-]+)\s*\}\}/g;
/** A name that is to become a reference, while what stands around it is escaped. */
const marked = /\0([^\0]+)\0/g;
const shellVariable = /\$([A-Za-z_][A-Za-z0-9_]*)/g;
const ofOpencode = /\{(env|file):([^}]*)\}/g;

/**
 * Rewrites a client's placeholders as references of this configuration: `${NAME}`, `${NAME:-default}`, `file:/path`. What
 * is literal there and a reference here is escaped.
 */
export function translatePlaceholders(text: string, context: PlaceholderContext): string {
  switch (context.syntax) {
    case "none":
      return literal(text);
    case "continue":
      return literal(text.replace(inDoubleBraces, (_, name) => `\0${name}\0`)).replace(marked, (_, name) =>
        variable(name),
      );
    case "opencode":
      return opencode(text, context);
    case "shell":
      return braces(
        text.replace(shellVariable, (_, name) => variable(name)),
        context,
      );
    default:
      return braces(text, context);
  }
}

/** The name of a variable made of other words: `api-key` → `API_KEY`. */
export function variableName(...words: readonly string[]): string {
  const name = words
    .join("_")
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
  return /^[A-Z]/.test(name) ? name : `VALUE_${name}`;
}

function literal(text: string): string {
  const escaped = text.replaceAll("${", () => "$${");
  return escaped.startsWith("file:") ? `$${escaped}` : escaped;
}

function variable(name: string, usual?: string): string {
  const known = reference.test(name) ? name : variableName(name);
  return usual === undefined ? `\${${known}}` : `\${${known}:-${usual}}`;
}

function braces(text: string, context: PlaceholderContext): string {
  const file = /^\$\{file:([^}]*)\}$/.exec(text)?.[1];
  if (file !== undefined) return `file:${resolve(context.folder, file)}`;
  const translated = text.replace(inBraces, (_, inner: string) => placeholder(inner, context));
  return text.startsWith("file:") ? `$${translated}` : translated;
}

function placeholder(inner: string, { inputs, folder, home, note }: PlaceholderContext): string {
  const [kind, ...rest] = inner.split(":");
  const name = rest.join(":");
  switch (kind) {
    case "env":
      return variable(name);
    case "input": {
      const usual = inputs.get(name);
      const key = variableName(name);
      if (usual === undefined)
        note(`set the environment variable ${key} for the gateway: the client asks for "${name}"`);
      return variable(key, usual);
    }
    case "CLAUDE_PROJECT_DIR":
    case "workspaceFolder":
    case "workspaceRoot":
      return folder;
    case "workspaceFolderBasename":
      return basename(folder);
    case "userHome":
      return home;
    case "pathSeparator":
    case "/":
      return sep;
  }
  if (reference.test(inner)) return `\${${inner}}`;
  const key = variableName(inner);
  note(`\${${inner}} has no counterpart; set the environment variable ${key} for the gateway`);
  return variable(key);
}

function opencode(text: string, { folder, home, note }: PlaceholderContext): string {
  const place = (path: string) => resolve(folder, path.replace(/^~(?=\/)/, home));
  const file = /^\{file:([^}]*)\}$/.exec(text)?.[1];
  if (file !== undefined) return `file:${place(file)}`;
  return literal(text).replace(ofOpencode, (_, kind: string, name: string) => {
    if (kind === "env") return variable(name);
    const key = variableName(basename(name));
    note(`set the environment variable ${key} for the gateway to the content of ${place(name)}`);
    return variable(key);
  });
}
