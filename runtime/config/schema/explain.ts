import type { ErrorObject } from "ajv/dist/2020.js";
import { closest, distance } from "fastest-levenshtein";
import { keyHint } from "../known-fields.ts";
import { shownAddress } from "../shown-source.ts";
import type { ConfigIssue, ConfigPath } from "./issue.ts";

/** Puts one error of the JSON Schema validator into words for people. */
export function explain(error: ErrorObject): ConfigIssue {
  const path = parsePointer(error.instancePath);
  const { params, data } = error;
  const show = (value: unknown) => (isSecretKey(path) && typeof value === "string" ? "a text" : shown(value));
  switch (error.keyword) {
    case "additionalProperties":
      return unknownKey(path, params.additionalProperty, error.parentSchema as KeySchema);
    case "required":
      return { path: [...path, params.missingProperty], message: "is missing", fix: "add it" };
    case "type":
      return {
        path,
        message: `is ${show(data)}, which is not ${kindOf(params.type)}`,
        fix: `give ${kindOf(params.type)}`,
      };
    case "enum":
      return choice(path, data, params.allowedValues, show(data));
    case "minimum":
    case "maximum":
      return { path, message: `is ${show(data)}`, fix: `give a number ${params.comparison} ${params.limit}` };
    case "minLength":
      return { path, message: "is empty", fix: "give a text" };
    case "minItems":
      return { path, message: "is an empty list", fix: "give at least one, or leave the key out" };
    case "pattern":
      return { path, message: `is ${show(data)}`, fix: patternFix(params.pattern, error.parentSchema?.examples) };
    default:
      return { path, message: `is ${show(data)}: ${error.message}`, fix: "see the schema" };
  }
}

/** An example says more than a pattern, where the schema has one. */
function patternFix(pattern: string, examples?: readonly string[]): string {
  return examples === undefined ? `give a text that matches ${pattern}` : `write it like ${examples.join(" or ")}`;
}

interface KeySchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly patternProperties?: Readonly<Record<string, unknown>>;
}

function unknownKey(path: ConfigPath, key: string, schema: KeySchema): ConfigIssue {
  if (schema.patternProperties !== undefined && schema.properties === undefined) {
    const fix =
      "use lower case letters, digits and hyphens, at most 32 characters, not beginning or ending with a hyphen";
    return { path: [...path, key], message: "is not a name for a server", fix };
  }
  const known = Object.keys(schema.properties ?? {}).filter((name) => !name.startsWith("$"));
  return { path: [...path, key], message: "is not a known key", fix: keyHint(key, known) };
}

function choice(path: ConfigPath, data: unknown, allowed: readonly string[], shown: string): ConfigIssue {
  const near = typeof data === "string" ? closest(data, allowed as string[]) : undefined;
  const hint = near !== undefined && distance(near, data as string) <= 2 ? `did you mean "${near}"? ` : "";
  return { path, message: `is ${shown}`, fix: `${hint}give one of ${allowed.join(", ")}` };
}

function parsePointer(pointer: string): (string | number)[] {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part.replaceAll("~1", "/").replaceAll("~0", "~")));
}

/** Keys where a secret, or what stands for one, is written: a wrong value there is not repeated. */
const secretKeys = new Set(["token", "key", "hash", "value", "gateway", "clientSecret", "privateKey", "assertion"]);
const isSecretKey = (path: ConfigPath): boolean =>
  path.includes("secrets") || path.includes("env") || path.includes("args") || secretKeys.has(String(path.at(-1)));

function shown(value: unknown): string {
  if (typeof value === "string" && /^[a-z]+:\/\//i.test(value)) return JSON.stringify(shownAddress(value));
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function kindOf(type: string | readonly string[]): string {
  return Array.isArray(type) ? type.map(article).join(" or ") : article(type as string);
}

function article(type: string): string {
  return `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`;
}
