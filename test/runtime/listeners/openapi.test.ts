import { expect, test } from "@jest/globals";
import { Validator } from "@seriousme/openapi-schema-validator";
import { hostOperations } from "../../../runtime/host/operations.ts";
import { type ApiDescription, openApi } from "../../../runtime/listeners/openapi.ts";

const tree = {
  type: "object",
  properties: { node: { $ref: "#/$defs/node" } },
  $defs: { node: { type: "object", properties: { children: { type: "array", items: { $ref: "#/$defs/node" } } } } },
};
const tools = [
  {
    server: "files",
    tool: { name: "read", title: "Read", description: "Reads a file.", inputSchema: { type: "object" } },
  },
  { server: "files", tool: { name: "a/b", inputSchema: tree, outputSchema: { type: "object" } } },
  { server: "files", tool: { name: "a.b" } },
];
const documentOf = async (description: ApiDescription) => JSON.parse(await openApi(description));
const api = { title: "mcp-fleet", version: "1.0.0", tools };

test("one operation per tool; a schema's references into itself still lead there", async () => {
  const document = await documentOf({ ...api, authenticated: true, paths: hostOperations });
  expect(Object.keys(document.paths)).toEqual([
    "/health",
    "/ready",
    "/metrics",
    "/api/v1/servers",
    "/api/v1/servers/{server}",
    "/api/v1/servers/{server}/requests",
    "/load",
    "/batch",
    "/api/v1/servers/files/tools/read",
    "/api/v1/servers/files/tools/a%2Fb",
    "/api/v1/servers/files/tools/a.b",
  ]);
  expect(document.paths["/api/v1/servers/files/tools/read"]).toEqual({
    post: {
      operationId: "files__read",
      tags: ["files"],
      summary: "Read",
      description: "Reads a file.",
      requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/files__read.input" } } } },
      responses: {
        "200": {
          description: "The tool's result.",
          content: {
            "application/json": {
              schema: {
                type: "object",
                required: ["result"],
                properties: {
                  result: {
                    allOf: [{ $ref: "#/components/schemas/ToolResult" }, { type: "object", properties: {} }],
                  },
                },
              },
            },
          },
        },
        default: { $ref: "#/components/responses/Error" },
      },
    },
  });
  const root = "#/components/schemas/files__a.2fb.input";
  expect(document.components.schemas["files__a.2fb.input"]).toEqual({
    type: "object",
    properties: { node: { $ref: `${root}/$defs/node` } },
    $defs: {
      node: { type: "object", properties: { children: { type: "array", items: { $ref: `${root}/$defs/node` } } } },
    },
  });
});

test.each([true, false])("the document is right OpenAPI 3.1 (authenticated: %s)", async (authenticated) => {
  const { valid, errors } = await new Validator().validate(
    await documentOf({ ...api, authenticated, paths: hostOperations }),
  );
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test("the check of the document can fail", async () => {
  const broken = { ...(await documentOf({ ...api, authenticated: false })), paths: { health: {} } };
  expect((await new Validator().validate(broken)).valid).toBe(false);
});

test("others are served while the document of a large fleet is written", async () => {
  const inputSchema = { type: "object", description: "x".repeat(64 * 1024) };
  const many = Array.from({ length: 100 }, (_, index) => ({
    server: "many",
    tool: { name: `tool-${index}`, inputSchema },
  }));
  let turns = 0;
  let going = true;
  const others = () => {
    turns += 1;
    if (going) setImmediate(others);
  };
  others();
  const document = await documentOf({ ...api, tools: many, authenticated: false });
  going = false;
  expect(Object.keys(document.components.schemas).filter((key) => key.startsWith("many__")).length).toBe(100);
  expect(turns).toBeGreaterThan(25);
});
