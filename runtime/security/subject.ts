import { FleetError } from "../errors.ts";
import { isObject } from "../protocol/exact-number.ts";
import type { Params } from "../protocol/json-rpc.ts";
import { excerpt, type MethodKind, relayedMethods } from "../protocol/methods.ts";

/** What a request is about, as rules see it. `methods`: a method that is no part of MCP; `server`: the server as a whole. */
export type SubjectKind = "tools" | "prompts" | "resources" | "methods" | "server";

export interface Subject {
  readonly kind: SubjectKind;
  /** Name of the tool or prompt, URI of the resource, the method; empty for the server. */
  readonly name: string;
  /** A task of the tool: its arguments were judged when it was made. */
  readonly ofTask?: boolean;
}

const whole: Subject = { kind: "server", name: "" };

/**
 * The text by which a call of this kind is judged, and nothing else may be relayed. Throws INVALID_PARAMS for parameters
 * that a server could read in another way. `tool`: the one that made the task which the call is about.
 */
export function subjectName(kind: MethodKind, params: Params | undefined, tool?: string): string {
  switch (kind) {
    case "tools":
    case "prompts":
      checkArguments(params?.arguments);
      return textOf("name", params?.name);
    case "resources":
      return uriOf("uri", params?.uri);
    case "completion":
      return referenceOf(params?.ref);
    case "tasks":
      if (tool === undefined) throw invalid('"taskId" is not the id of a task of yours');
      return tool;
    default:
      return "";
  }
}

/** The subject of a request to a server, by the server's own names. Throws INVALID_PARAMS as `subjectName` does. */
export function subjectOf(method: string, params: Params | undefined, tool?: string): Subject {
  const kind = relayedMethods.get(method);
  if (kind === undefined) return { kind: "methods", name: method };
  if (kind === "server") return whole;
  const name = subjectName(kind, params, tool);
  if (kind === "tasks") return { kind: "tools", name, ofTask: true };
  if (kind !== "completion") return { kind, name };
  const { type } = (params as Params).ref as Params;
  return { kind: type === "ref/resource" ? "resources" : "prompts", name };
}

/** A reference says by its `type` what it names; one that names both would be judged by one and completed by the other. */
function referenceOf(ref: unknown): string {
  if (!isObject(ref)) throw invalid('"ref" must be an object');
  const { type, name, uri } = ref;
  if (type === "ref/prompt") {
    if (uri !== undefined) throw invalid('"ref.uri" does not belong to a ref/prompt; remove it');
    return textOf("ref.name", name);
  }
  if (type !== "ref/resource") throw invalid('"ref.type" must be ref/prompt or ref/resource');
  if (name !== undefined) throw invalid('"ref.name" does not belong to a ref/resource; remove it');
  return uriOf("ref.uri", uri);
}

function checkArguments(args: unknown): void {
  if (args !== undefined && args !== null && !isObject(args)) throw invalid('"arguments" must be an object');
}

function uriOf(field: string, value: unknown): string {
  const uri = textOf(field, value);
  // Parsers of URLs drop blanks around one (WHATWG URL, 4.4).
  if (uri.trim() !== uri) throw invalid(`"${field}" begins or ends with a blank`);
  return uri;
}

/** A string without anything that other programs cut, drop or replace. */
function textOf(field: string, value: unknown): string {
  if (typeof value !== "string") throw invalid(`"${field}" must be a string`);
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) throw invalid(`"${field}" has a control character`);
    if (code >= 0xd800 && code < 0xe000 && !value.isWellFormed()) throw invalid(`"${field}" has half a character`);
  }
  return value;
}

const invalid = (problem: string) => new FleetError("INVALID_PARAMS", `Invalid params: ${problem}`);

/** METHOD_NOT_FOUND, the same for a method that nobody has and for one that may not be called. */
export const methodUnknown = (method: string) =>
  new FleetError("METHOD_NOT_FOUND", `Method not found: ${excerpt(method)}`);
