import { randomUUID } from "node:crypto";
import { FleetError } from "../errors.ts";
import { Exchange } from "../protocol/exchange.ts";
import {
  checkMessage,
  errorReply,
  isNotification,
  isRequest,
  type RpcReply,
  type RpcRequest,
} from "../protocol/json-rpc.ts";
import type { Fleet } from "../registry/fleet.ts";
import { methodNotFound, type ServiceClient } from "../routing/mcp-service.ts";
import { SingleService } from "../routing/single-service.ts";
import { openAccess } from "../security/index.ts";

/** Most messages of one batch. */
export const maxBatch = 100;

/** An answer in a batch (JSON-RPC 2.0, section 6); the id is null when the message had none that can be used. */
type BatchAnswer = RpcReply & { readonly jsonrpc: "2.0"; readonly id: RpcRequest["id"] | null };

/**
 * Answers an array of JSON-RPC requests, in their order; they are worked on at the same time and share one session of
 * the server. Notifications have no answer. Throws INVALID_REQUEST for what is no such array.
 */
export async function answerBatch(fleet: Fleet, body: unknown, access = openAccess): Promise<BatchAnswer[]> {
  if (!Array.isArray(body) || body.length === 0)
    throw new FleetError("INVALID_REQUEST", "Invalid request: send a JSON array of at least one JSON-RPC message");
  if (body.length > maxBatch) {
    const fix = `send at most ${maxBatch} messages at once`;
    throw new FleetError("INVALID_REQUEST", `Invalid request: the batch has ${body.length} messages; ${fix}`);
  }
  const service = new SingleService(fleet, access);
  const client: ServiceClient = {
    ...{ owner: `batch-${randomUUID()}`, caller: undefined, fleets: new Set<string>(), logLevel: undefined },
    notify: () => false,
  };
  try {
    const answers = await Promise.all(body.map((item) => answer(service, client, item)));
    return answers.filter((one) => one !== undefined);
  } finally {
    void fleet.release(client.owner);
  }
}

async function answer(service: SingleService, client: ServiceClient, item: unknown): Promise<BatchAnswer | undefined> {
  let id: BatchAnswer["id"] = null;
  try {
    const message = checkMessage(item);
    if (isNotification(message)) {
      service.notified(client, message.method, message.params);
      return undefined;
    }
    id = message.id;
    if (!isRequest(message)) throw new FleetError("INVALID_REQUEST", "Invalid request: a batch holds no responses");
    const { method, params } = message;
    // A batch has no session of its own: sessions are opened at /mcp.
    const reply =
      method === "initialize"
        ? methodNotFound(method)
        : await service.handle(client, method, params, new Exchange(service.timeoutFor()));
    return { jsonrpc: "2.0", id, ...("error" in reply ? { error: reply.error } : { result: reply.result }) };
  } catch (error) {
    return { jsonrpc: "2.0", id, ...errorReply(error) };
  }
}
