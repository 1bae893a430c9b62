import { setImmediate as turn } from "node:timers/promises";
import { isObject } from "../protocol/exact-number.ts";
import type { Params } from "../protocol/json-rpc.ts";
import type { ToolDescription } from "../registry/catalog.ts";
import { federatedName } from "../routing/federated-name.ts";
import { restOperations } from "./rest-operations.ts";

/** What the REST interface of a gateway or a server host serves at the moment. */
export interface ApiDescription {
  readonly title: string;
  readonly version: string;
  /** A bearer token is asked for everywhere but at `/health` and `/ready`. */
  readonly authenticated: boolean;
  /** Paths besides those of every gateway, as OpenAPI path items. */
  readonly paths?: Params;
  readonly tools: readonly { readonly server: string; readonly tool: ToolDescription }[];
}

const answer = (description: string, schema: object) => ({
  description,
  content: { "application/json": { schema } },
});

/** Characters of the document that are written before others are served: a thousandth of a second or two. */
const turnCharacters = 128 * 1024;

/**
 * The text of the OpenAPI 3.1 document of the REST interface, with one operation per tool. Tools are written one by one, and
 * others are served in between: a fleet can have thousands of them, with megabytes of schemas.
 */
export async function openApi({ title, version, authenticated, paths, tools }: ApiDescription): Promise<string> {
  const schemas = textsOf(restOperations.schemas);
  const operations = textsOf({ ...restOperations.paths, ...paths });
  let written = 0;
  for (const { server, tool } of tools) {
    const own: Record<string, unknown> = {};
    const operation = JSON.stringify({ post: toolOperation(server, tool, own) });
    operations.set(`/api/v1/servers/${server}/tools/${encodeURIComponent(tool.name)}`, operation);
    written += operation.length;
    for (const [key, text] of textsOf(own)) {
      schemas.set(key, text);
      written += text.length;
    }
    if (written < turnCharacters) continue;
    written = 0;
    await turn();
  }
  const head = JSON.stringify({
    openapi: "3.1.0",
    info: { title, version, description: "MCP itself is served at `/mcp`; this is the REST interface beside it." },
    ...(authenticated ? { security: [{ bearer: [] }] } : {}),
    tags: [
      { name: "operation" },
      { name: "servers" },
      ...[...new Set(tools.map(({ server }) => server))].map((name) => ({ name })),
    ],
  });
  const more = JSON.stringify({
    responses: restOperations.responses,
    ...(authenticated ? { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } } : {}),
  });
  const components = `{"schemas":${objectOf(schemas)},${more.slice(1)}`;
  return `${head.slice(0, -1)},"paths":${objectOf(operations)},"components":${components}}`;
}

const textsOf = (members: object): Map<string, string> =>
  new Map(Object.entries(members).map(([name, value]) => [name, JSON.stringify(value)]));

const objectOf = (members: ReadonlyMap<string, string>): string =>
  `{${[...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;

function toolOperation(server: string, tool: ToolDescription, schemas: Record<string, unknown>): object {
  const name = federatedName(server, tool.name);
  const schemaOf = (part: "inputSchema" | "outputSchema", key: string): object => {
    const schema = tool[part];
    if (!isObject(schema)) return { type: "object" };
    schemas[key] = rooted(schema, `#/components/schemas/${key}`);
    return { $ref: `#/components/schemas/${key}` };
  };
  const key = name.replaceAll(/[^\w-]/g, (character) => `.${character.codePointAt(0)?.toString(16)}`);
  const structured =
    tool.outputSchema === undefined ? {} : { structuredContent: schemaOf("outputSchema", `${key}.output`) };
  const result = { allOf: [{ $ref: "#/components/schemas/ToolResult" }, { type: "object", properties: structured }] };
  return {
    operationId: name,
    tags: [server],
    summary: text(tool.title) ?? tool.name,
    description: text(tool.description) ?? "",
    requestBody: { content: { "application/json": { schema: schemaOf("inputSchema", `${key}.input`) } } },
    responses: {
      "200": answer("The tool's result.", { type: "object", required: ["result"], properties: { result } }),
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A schema whose references into itself (`#/$defs/…`) still lead there when it is part of a larger document. */
function rooted(value: unknown, root: string): unknown {
  if (Array.isArray(value)) return value.map((item) => rooted(item, root));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const local = key === "$ref" && typeof item === "string" && item.startsWith("#");
      return [key, local ? `${root}${item.slice(1)}` : rooted(item, root)];
    }),
  );
}
