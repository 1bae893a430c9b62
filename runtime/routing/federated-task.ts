import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { federatedUri, withFederatedUris } from "./federated-uri.ts";

/** The extension of the stateless era by which servers answer calls with tasks (SEP-2663). */
export const tasksExtension = "io.modelcontextprotocol/tasks";

/**
 * A result as it reads at `/mcp` when it is a task's: its id is `<server>+<id>`, as URIs are, so that whoever asks for the
 * task reaches the server that has it; what the task has come to reads as the call's own result would.
 */
export function withFederatedTask(server: string, reply: RpcReply): RpcReply {
  if (!("result" in reply)) return reply;
  const { taskId, status, result, ...rest } = (reply.result ?? {}) as Params;
  if (typeof taskId !== "string" || typeof status !== "string") return reply;
  const outcome = result === undefined ? {} : withFederatedUris(server, { result });
  return { result: { ...rest, status, taskId: federatedUri(server, taskId), ...outcome } };
}
