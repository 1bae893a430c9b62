import type { Params } from "../protocol/json-rpc.ts";

/** What a request is about, as rules see it. `server`: the server as a whole. */
export type SubjectKind = "tools" | "prompts" | "resources" | "server";

export interface Subject {
  readonly kind: SubjectKind;
  /** Name of the tool or prompt, URI of the resource; empty for the server. */
  readonly name: string;
}

const whole: Subject = { kind: "server", name: "" };

/** The subject of a request to a server, by the server's own names. */
export function subjectOf(method: string, params: Params | undefined): Subject {
  switch (method) {
    case "tools/call":
      return { kind: "tools", name: textOf(params?.name) };
    case "prompts/get":
      return { kind: "prompts", name: textOf(params?.name) };
    case "resources/read":
    case "resources/subscribe":
    case "resources/unsubscribe":
      return { kind: "resources", name: textOf(params?.uri) };
    case "completion/complete": {
      const ref = params?.ref as Params | undefined;
      return typeof ref?.uri === "string"
        ? { kind: "resources", name: ref.uri }
        : { kind: "prompts", name: textOf(ref?.name) };
    }
    default:
      return whole;
  }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
