/** Media types and references are long words: these keep the tables readable. */
const json = (schema: object) => ({ "application/json": { schema } });
const error = { $ref: "#/components/responses/Error" };
const server = { name: "server", in: "path", required: true, schema: { type: "string" }, description: "Its name." };
const ok = (description: string, schema: object = {}) => ({ "200": { description, content: json(schema) } });
const operation = (tag: string, operationId: string, summary: string, responses: object, more: object = {}) => ({
  operationId,
  tags: [tag],
  summary,
  ...more,
  responses: { ...responses, default: error },
});
const open = { security: [] };

/** Body of `POST /api/v1/servers/<server>/requests`, for the check of requests and for their documentation. */
export const executeBody = {
  type: "object",
  required: ["method"],
  additionalProperties: false,
  properties: {
    method: { type: "string", minLength: 1 },
    params: { type: "object" },
    priority: { enum: ["critical", "high", "normal", "low"] },
    useCache: { type: "boolean" },
    metadata: { type: "object" },
  },
} as const;

/** The operations that every gateway has, as OpenAPI 3.1 writes them. */
export const restOperations = {
  paths: {
    "/health": { get: operation("operation", "health", "Alive.", ok("It is."), open) },
    "/ready": {
      get: operation(
        "operation",
        "ready",
        "Able to serve.",
        {
          ...ok(
            "Its configuration is in force, every server has been tried once, and none that is required is missing.",
            { $ref: "#/components/schemas/Readiness" },
          ),
          "503": { description: "It is not.", content: json({ $ref: "#/components/schemas/Readiness" }) },
        },
        open,
      ),
    },
    "/metrics": {
      get: operation("operation", "metrics", "Metrics for Prometheus.", {
        "200": {
          description: "The text exposition format.",
          content: { "text/plain": { schema: { type: "string" } } },
        },
      }),
    },
    "/api/v1/servers": {
      get: operation(
        "servers",
        "listServers",
        "All servers.",
        ok("Their state.", { type: "array", items: { $ref: "#/components/schemas/Server" } }),
      ),
    },
    "/api/v1/servers/{server}": {
      get: operation(
        "servers",
        "inspectServer",
        "One server.",
        ok("Its state and the names of its tools.", { $ref: "#/components/schemas/Server" }),
        { parameters: [server] },
      ),
    },
    "/api/v1/servers/{server}/requests": {
      post: operation(
        "servers",
        "executeRequest",
        "Execute an MCP method, a tool, or an alias of one.",
        ok("The server's own reply.", { type: "object", required: ["result"], properties: { result: {} } }),
        { parameters: [server], requestBody: { required: true, content: json(executeBody) } },
      ),
    },
  },
  schemas: {
    Readiness: {
      type: "object",
      required: ["ready"],
      properties: {
        ready: { type: "boolean" },
        servers: {
          type: "object",
          additionalProperties: { enum: ["ready", "starting", "failed", "idle"] },
          description: "Health by server, of the servers that the caller may use.",
        },
        counts: {
          type: "object",
          additionalProperties: { type: "integer" },
          description: "Number of servers by health, where a credential is needed and none was sent.",
        },
      },
    },
    Server: {
      type: "object",
      required: ["name", "type", "version", "health", "instances"],
      properties: {
        name: { type: "string" },
        type: { type: "string" },
        version: { type: "string" },
        health: { enum: ["ready", "starting", "failed", "idle"] },
        instances: {
          type: "object",
          properties: { ready: { type: "integer" }, total: { type: "integer" }, max: { type: "integer" } },
        },
        toolNames: { type: "array", items: { type: "string" } },
      },
    },
    ToolResult: {
      type: "object",
      description: "CallToolResult of MCP.",
      required: ["content"],
      properties: {
        content: {
          type: "array",
          items: { type: "object", required: ["type"], properties: { type: { type: "string" } } },
        },
        isError: { type: "boolean" },
      },
    },
    Error: {
      type: "object",
      required: ["error"],
      properties: {
        error: {
          type: "object",
          required: ["code", "message"],
          properties: { code: { type: "integer" }, message: { type: "string" }, data: { type: "object" } },
        },
      },
    },
  },
  responses: {
    Error: {
      description: "A JSON-RPC error; `error.data.code` is one of docs/errors.md.",
      content: json({ $ref: "#/components/schemas/Error" }),
    },
  },
} as const;
