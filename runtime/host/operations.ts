import type { Params } from "../protocol/json-rpc.ts";
import { maxBatch } from "./batch.ts";

const share = (description: string) => ({ type: "number", minimum: 0, maximum: 1, description });
const count = (description: string) => ({ type: "integer", minimum: 0, description });
const json = (schema: object) => ({ "application/json": { schema } });
const message = { type: "object", required: ["jsonrpc", "method"], properties: { jsonrpc: { const: "2.0" } } };

/** What a server host serves besides the paths of every gateway, as OpenAPI 3.1 path items. */
export const hostOperations: Params = {
  "/load": {
    get: {
      operationId: "load",
      tags: ["operation"],
      summary: "How busy this host is.",
      responses: {
        "200": {
          description: "Shares of the container's limits, or of the machine where there are none.",
          content: json({
            type: "object",
            required: ["cpu", "memory", "inFlight", "waiting"],
            properties: {
              cpu: share("CPU time in use."),
              memory: share("Memory in use."),
              inFlight: count("Calls that wait for the server's answer."),
              waiting: count("Callers that wait for an instance."),
              leases: {
                type: "object",
                description: "Instances that sessions have to themselves; absent where all share one.",
                required: ["used", "max"],
                properties: { used: count("Those that sessions have now."), max: count("As many as there can be.") },
              },
            },
          }),
        },
        default: { $ref: "#/components/responses/Error" },
      },
    },
  },
  "/batch": {
    post: {
      operationId: "batch",
      tags: ["operation"],
      summary: "Several JSON-RPC requests at once; they share one session of the server.",
      requestBody: {
        required: true,
        content: json({ type: "array", minItems: 1, maxItems: maxBatch, items: message }),
      },
      responses: {
        "200": {
          description: "Their answers, in the order of the requests.",
          content: json({ type: "array", items: { type: "object" } }),
        },
        "202": { description: "There were only notifications." },
        default: { $ref: "#/components/responses/Error" },
      },
    },
  },
};
