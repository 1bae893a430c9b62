import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { mayHave, withFederatedUris } from "./federated-uri.ts";

/** A task as it reads at `/mcp`: what it has come to reads as the call's own result would. Its sealed id tells its server. */
export function withFederatedTask(server: string, reply: RpcReply): RpcReply {
  if (!mayHave("taskId", reply) || !("result" in reply)) return reply;
  const { result, ...task } = (reply.result ?? {}) as Params;
  if (typeof task.taskId !== "string" || result === undefined) return reply;
  return { result: { ...task, ...withFederatedUris(server, { result }) } };
}
