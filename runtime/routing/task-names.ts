import { isObject } from "../protocol/exact-number.ts";
import type { ExchangeClient } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { Question } from "../protocol/questions.ts";
import type { TaskClaims, TaskIds } from "../protocol/task-ids.ts";

/** Says in `_meta` to which task a message belongs (2025-11-25, basic/utilities/tasks, "Associating Task-Related Messages"). */
const relatedTask = "io.modelcontextprotocol/related-task";

/** The id of that task; undefined for a message of none. */
export function relatedTaskIn(message: Params | undefined): unknown {
  const related = isObject(message?._meta) ? message._meta[relatedTask] : undefined;
  return isObject(related) ? related.taskId : related;
}

/** The ids of one call's tasks, as the client and as the server know them. */
export class TaskNames {
  readonly #ids: TaskIds;
  readonly #owner: Omit<TaskClaims, "taskId">;
  readonly #known: { readonly shown: string; readonly own: string } | undefined;

  /** `known`: the task that the call is about, under the id that the client gave. */
  constructor(
    ids: TaskIds,
    owner: Omit<TaskClaims, "taskId">,
    known?: { readonly shown: string; readonly own: string },
  ) {
    this.#ids = ids;
    this.#owner = owner;
    this.#known = known;
  }

  /** The answer to a call of a tool: a task of 2025-11-25 (`task`), one of the extension (its members), or a result. */
  created(reply: RpcReply): RpcReply {
    if ("error" in reply || !isObject(reply.result)) return reply;
    const { task, taskId, status } = reply.result;
    if (isObject(task) && typeof task.taskId === "string") {
      const made = { ...task, taskId: this.#shown(task.taskId) };
      return { result: this.#related({ ...reply.result, task: made }) };
    }
    if (typeof taskId === "string" && typeof status === "string")
      return { result: this.#related({ ...reply.result, taskId: this.#shown(taskId) }) };
    const related = this.#related(reply.result);
    return related === reply.result ? reply : { result: related };
  }

  /** The answer to a call about the task. */
  followed(reply: RpcReply): RpcReply {
    if ("error" in reply) {
      const { own, shown } = this.#known ?? { own: "", shown: "" };
      const { message } = reply.error;
      if (own.length < 2 || typeof message !== "string") return reply;
      return { error: { ...reply.error, message: message.replaceAll(own, () => shown) } };
    }
    if (!isObject(reply.result)) return reply;
    const { result, inputRequests } = reply.result;
    const said = this.toClient(reply.result) as Params;
    return {
      result: {
        ...said,
        ...(isObject(result) ? { result: this.#related(result) } : {}),
        ...(isObject(inputRequests) ? { inputRequests: this.#asked(inputRequests) } : {}),
      },
    };
  }

  /** Parameters or a result of the server's. */
  toClient(said: Params | undefined): Params | undefined {
    if (said === undefined) return undefined;
    const related = this.#related(said);
    return typeof related.taskId === "string" ? { ...related, taskId: this.#shown(related.taskId) } : related;
  }

  /** Parameters or a result of the client's. */
  toServer(said: Params): Params {
    return this.#related(said, (id) => this.#ids.open(id)?.taskId ?? id);
  }

  #asked(requests: Params): Params {
    return Object.fromEntries(
      Object.entries(requests).map(([key, request]) => {
        if (!isObject(request) || !isObject(request.params)) return [key, request];
        return [key, { ...request, params: this.#related(request.params) }];
      }),
    );
  }

  /** The message itself where it names no task. */
  #related(message: Params, rename = (id: string) => this.#shown(id)): Params {
    const meta = message._meta;
    const related = isObject(meta) ? meta[relatedTask] : undefined;
    if (!isObject(related) || typeof related.taskId !== "string") return message;
    const task = { ...related, taskId: rename(related.taskId) };
    return { ...message, _meta: { ...(meta as Params), [relatedTask]: task } };
  }

  #shown(own: string): string {
    return own === this.#known?.own ? this.#known.shown : this.#ids.seal({ ...this.#owner, taskId: own });
  }
}

/** The client of a call that has to do with a task: questions of the server name the task by the client's id. */
export class TaskSpeaker implements ExchangeClient {
  readonly #client: ExchangeClient;
  readonly #names: TaskNames;

  constructor(client: ExchangeClient, names: TaskNames) {
    this.#client = client;
    this.#names = names;
  }

  get owner(): string {
    return this.#client.owner;
  }
  get modern(): boolean {
    return this.#client.modern;
  }
  get capabilities(): Params {
    return this.#client.capabilities;
  }
  get clientInfo(): Params | undefined {
    return this.#client.clientInfo;
  }
  get logLevel(): string | undefined {
    return this.#client.logLevel;
  }
  get present(): boolean {
    return this.#client.present;
  }

  async ask(method: string, params: Params | undefined, question: Question): Promise<RpcReply> {
    const reply = await this.#client.ask(method, this.#names.toClient(params), question);
    return "error" in reply || !isObject(reply.result) ? reply : { result: this.#names.toServer(reply.result) };
  }
}
