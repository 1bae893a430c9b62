import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { excerpt } from "../protocol/methods.ts";
import type { TaskClaims, TaskIds } from "../protocol/task-ids.ts";
import type { Fleet, FleetClient } from "../registry/fleet.ts";
import type { Access } from "../security/index.ts";
import { taskIdOf } from "./mcp-service.ts";
import { sendCall } from "./send-call.ts";
import { relatedTaskIn, TaskNames, TaskSpeaker } from "./task-names.ts";

/** The extension of the stateless era by which servers answer calls with tasks (SEP-2663). */
export const tasksExtension = "io.modelcontextprotocol/tasks";

/**
 * Does the call name a task, or can its answer be one? Only when the client wants one (2025-11-25, basic/utilities/tasks) or
 * has declared the extension; of REST and of programs nothing is known, and their results are read anyway.
 */
export function concernsTask(method: string, params: Params | undefined, { client }: Exchange): boolean {
  if (params?._meta !== undefined && relatedTaskIn(params) !== undefined) return true;
  if (method !== "tools/call") return false;
  if (params?.task !== undefined || client === undefined) return true;
  return client.modern && (client.capabilities.extensions as Params | undefined)?.[tasksExtension] !== undefined;
}

/** A call that may become a task: the client gets a sealed id in the place of the server's. */
export async function callForTask(
  fleet: Fleet,
  ids: TaskIds,
  access: Access,
  client: FleetClient,
  method: string,
  params: Params | undefined,
  exchange: Exchange,
): Promise<RpcReply> {
  const tool = typeof params?.name === "string" ? params.name : "";
  const owner = ownerOf(fleet, ids, access, client, exchange, tool);
  const related = relatedTaskIn(params);
  const claims = ids.open(related);
  if (related !== undefined && (claims === undefined || !isOf(claims, owner))) return unknownTask(String(related));
  const names = new TaskNames(ids, owner);
  const sent = params && names.toServer(params);
  speakThrough(names, exchange);
  return names.created(await sendCall(fleet, access, client, method, sent, exchange));
}

/** A call about a task. Whose task it is says its id; what is not the caller's own is not there. */
export async function callAboutTask(
  fleet: Fleet,
  access: Access,
  client: FleetClient,
  method: string,
  params: Params | undefined,
  exchange: Exchange,
): Promise<RpcReply> {
  const { taskIds } = fleet;
  // Where the processes of other workers run, those have seen to it; there are no rules.
  if (taskIds === undefined) return sendCall(fleet, access, client, method, params, exchange, "");
  fleet.gate.checkMethod(method);
  const shown = taskIdOf(params);
  const claims = taskIds.open(shown);
  const owner = ownerOf(fleet, taskIds, access, client, exchange, claims?.tool ?? "");
  if (claims === undefined || !isOf(claims, owner) || !fleet.tools.permits(claims.tool)) return unknownTask(shown);
  const names = new TaskNames(taskIds, owner, { shown, own: claims.taskId });
  speakThrough(names, exchange);
  const sent = { ...params, taskId: claims.taskId };
  return names.followed(await sendCall(fleet, access, client, method, sent, exchange, claims.tool));
}

/** The answer to the id of no task, and of one that is another caller's. */
export const unknownTask = (id: string): RpcReply => ({
  error: { code: -32602, message: `Unknown task: ${excerpt(id)}` },
});

const isOf = (claims: TaskClaims, owner: Omit<TaskClaims, "taskId">): boolean =>
  claims.server === owner.server && claims.caller === owner.caller && claims.session === owner.session;

/** A caller without a name is known by its session, if it has one. */
function ownerOf(
  { name: server }: Fleet,
  { bySession }: TaskIds,
  { principal }: Access,
  { owner }: FleetClient,
  { client }: Exchange,
  tool: string,
): Omit<TaskClaims, "taskId"> {
  const nameless = principal.method === "anonymous" || principal.method === "local";
  const session = bySession && nameless && client !== undefined && !client.modern ? owner : "";
  return { server, tool, caller: principal.caller, session };
}

/** What the server says and asks meanwhile names the task, too. */
function speakThrough(names: TaskNames, exchange: Exchange): void {
  const { client, listener } = exchange;
  if (listener !== undefined) exchange.listener = (method, params) => listener(method, names.toClient(params));
  if (client !== undefined) exchange.client = new TaskSpeaker(client, names);
}
