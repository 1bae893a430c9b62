import type { Logger } from "pino";
import type { Exchange } from "../protocol/exchange.ts";
import { encodeNotification, type Params, type RpcReply } from "../protocol/json-rpc.ts";
import { isLogLevel } from "../protocol/log-levels.ts";
import { excerpt } from "../protocol/methods.ts";
import type { TaskIds } from "../protocol/task-ids.ts";
import type { Fleet } from "../registry/fleet.ts";
import type { FleetRegistry } from "../registry/fleet-registry.ts";
import type { ResourceListener } from "../registry/resource-subscriptions.ts";
import { type Access, openAccess } from "../security/index.ts";
import { subjectOf } from "../security/subject.ts";
import type { GatewayIdentity } from "../upstreams/handshake.ts";
import { callFleet, callTool, unknownTool } from "./call-fleet.ts";
import { federatedName, splitFederatedName } from "./federated-name.ts";
import { withFederatedTask } from "./federated-task.ts";
import { federatedUri, splitFederatedUri, withFederatedUris } from "./federated-uri.ts";
import { Introductions } from "./introductions.ts";
import { type McpService, methodNotFound, nameOf, type ServiceClient, taskIdOf, uriOf } from "./mcp-service.ts";
import { type MergedKind, merged, mergedList } from "./merged-list.ts";
import { shownTool, unknownLevel } from "./single-service.ts";
import { tasksExtension, unknownTask } from "./task-calls.ts";

const defaultTimeoutMs = 120_000;
const instructions =
  "Several MCP servers behind one gateway. Names of tools and prompts begin with their server: <server>__<name>; " +
  "so do URIs of resources: <server>+<uri>.";
const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  completions: {},
  logging: {},
  // Of servers of the stateless era; a client that declares it gets a task where a server answers with one.
  extensions: { [tasksExtension]: {} },
};

interface Named {
  readonly name: string;
}
const tools: MergedKind<Named> = {
  key: "tools",
  list: (fleet, client) => fleet.listTools(client),
  show: ({ name: server }, tool) => ({ ...tool, name: federatedName(server, tool.name) }),
};
const prompts: MergedKind<Named> = {
  key: "prompts",
  list: (fleet, client) => fleet.catalogFor(client).list("prompts"),
  show: ({ name: server }, prompt) => ({ ...prompt, name: federatedName(server, prompt.name) }),
};
const resources: MergedKind<{ readonly uri: string }> = {
  key: "resources",
  list: (fleet, client) => fleet.catalogFor(client).list("resources"),
  show: ({ name: server }, resource) => ({ ...resource, uri: federatedUri(server, resource.uri) }),
};
const templates: MergedKind<{ readonly uriTemplate: string }> = {
  key: "resourceTemplates",
  list: (fleet, client) => fleet.catalogFor(client).list("resourceTemplates"),
  show: ({ name: server }, template) => ({ ...template, uriTemplate: federatedUri(server, template.uriTemplate) }),
};

/** What the gateway answers without asking a server for this caller. */
const answeredHere = new Set([
  ...["ping", "tools/list", "prompts/list", "resources/list", "resources/templates/list"],
  ...["logging/setLevel", "resources/subscribe", "resources/unsubscribe"],
]);

/** What the service of all servers is made of. */
export interface FederatedOptions {
  readonly registry: FleetRegistry;
  readonly identity: GatewayIdentity;
  readonly log: Logger;
  readonly taskIds: TaskIds;
}

/** `/mcp`: what all servers offer, under names that tell the server, in the order of the servers' names. */
export class FederatedService implements McpService {
  readonly #options: FederatedOptions;
  readonly #registry: FleetRegistry;
  readonly #log: Logger;
  readonly #access: Access;
  readonly #introductions: Introductions;

  constructor(options: FederatedOptions, access = openAccess, introductions = new Introductions()) {
    this.#options = options;
    this.#registry = options.registry;
    this.#log = options.log;
    this.#access = access;
    this.#introductions = introductions;
  }

  /** The same for one caller. */
  for(access: Access): FederatedService {
    return new FederatedService(this.#options, access, this.#introductions);
  }

  async describe(): Promise<Params> {
    return { capabilities, serverInfo: this.#options.identity };
  }

  /** `head` tells clients how the servers are used together. */
  async introduce(head = instructions): Promise<Params> {
    const said = await this.#introductions.text(head, this.#registry.all(), this.#access);
    return { capabilities, serverInfo: this.#options.identity, instructions: said };
  }

  timeoutFor(params: Params | undefined): number {
    const { name, uri, taskId } = params ?? {};
    let server: string | undefined;
    if (typeof name === "string") server = splitFederatedName(name)?.server;
    else if (typeof uri === "string") server = splitFederatedUri(uri)?.server;
    else if (typeof taskId === "string") server = this.#options.taskIds.open(taskId)?.server;
    const fleet = server === undefined ? undefined : this.#registry.get(server);
    return fleet?.server.timeouts.requestMs ?? defaultTimeoutMs;
  }

  async handle(
    client: ServiceClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
  ): Promise<RpcReply> {
    const entering = answeredHere.has(method) ? this.#access.enter(method, exchange) : undefined;
    if (entering !== undefined) await entering;
    switch (method) {
      case "ping":
        return { result: {} };
      case "tools/list":
        return this.#merge(tools, client, params);
      case "prompts/list":
        return this.#merge(prompts, client, params);
      case "resources/list":
        return this.#merge(resources, client, params);
      case "resources/templates/list":
        return this.#merge(templates, client, params);
      case "tools/call": {
        const target = await this.#find(nameOf(params), tools);
        if (target === undefined) return unknownTool(nameOf(params));
        const sent = exchange.client?.modern === true ? params : withoutTask(params);
        const reply = await callTool(target.fleet, this.#access, client, target.name, sent, exchange);
        return withFederatedTask(target.fleet.name, withFederatedUris(target.fleet.name, reply));
      }
      case "prompts/get": {
        const target = await this.#find(nameOf(params), prompts);
        if (target === undefined) return unknown("prompt", nameOf(params));
        const reply = await callFleet(
          target.fleet,
          this.#access,
          client,
          method,
          { ...params, name: target.name },
          exchange,
        );
        return withFederatedUris(target.fleet.name, reply);
      }
      case "resources/read": {
        const target = this.#findUri(uriOf(params));
        if (target === undefined) return unknown("resource", uriOf(params));
        const reply = await callFleet(
          target.fleet,
          this.#access,
          client,
          method,
          { ...params, uri: target.uri },
          exchange,
        );
        return withFederatedUris(target.fleet.name, reply);
      }
      case "tasks/get":
      case "tasks/update":
      case "tasks/cancel":
        return this.#task(client, method, params, exchange);
      case "resources/subscribe": {
        const tell = (about: Params) => client.notify(encodeNotification("notifications/resources/updated", about));
        return this.subscribe(client, uriOf(params), tell);
      }
      case "resources/unsubscribe": {
        const target = this.#findUri(uriOf(params));
        if (target === undefined) return unknown("resource", uriOf(params));
        await this.#access.check(target.fleet, method, { uri: target.uri });
        return target.fleet.unsubscribe(client, target.uri);
      }
      case "completion/complete":
        return this.#complete(client, params, exchange);
      case "logging/setLevel":
        // Each server is told when the client calls it.
        if (!isLogLevel(params?.level)) return unknownLevel(params?.level);
        client.logLevel = params.level;
        return { result: {} };
      default:
        return methodNotFound(method);
    }
  }

  notified(client: ServiceClient, method: string, params: Params | undefined): void {
    if (method !== "notifications/roots/list_changed") return;
    for (const name of client.fleets) {
      void this.#registry
        .get(name)
        ?.notify(client, method, params)
        .catch(() => {});
    }
  }

  async tool(name: string): Promise<Params | undefined> {
    const target = await this.#find(name, tools);
    return target && shownTool(target.fleet, this.#access, target.name);
  }

  async subscribe(client: ServiceClient, uri: string, listener: ResourceListener): Promise<RpcReply> {
    const target = this.#findUri(uri);
    if (target === undefined) return unknown("resource", uri);
    const { fleet } = target;
    await this.#access.check(fleet, "resources/subscribe", { uri: target.uri });
    client.fleets.add(fleet.name);
    const { resources: offered } = (await fleet.describe()).capabilities as { resources?: { subscribe?: boolean } };
    if (offered?.subscribe !== true) return methodNotFound("resources/subscribe");
    return fleet.subscribe(client, target.uri, (about) =>
      listener({ ...about, uri: federatedUri(fleet.name, String(about.uri)) }),
    );
  }

  /** All tools at once, as they are listed here. */
  async allTools(): Promise<readonly unknown[]> {
    return (await merged(this.#registry.all(), tools, this.#log, this.#access)).items;
  }

  /** The tasks of 2025-11-25 are not to be had here: servers differ in whether they have them, and this is one server. */
  async #task(
    client: ServiceClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
  ): Promise<RpcReply> {
    if (exchange.client?.modern !== true) return methodNotFound(method);
    const taskId = taskIdOf(params);
    const fleet = this.#fleet(this.#options.taskIds.open(taskId)?.server);
    if (fleet === undefined) return unknownTask(taskId);
    return withFederatedTask(fleet.name, await callFleet(fleet, this.#access, client, method, params, exchange));
  }

  async #complete(client: ServiceClient, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    const { kind, name } = subjectOf("completion/complete", params);
    const ref = params?.ref as Params;
    if (kind === "resources") {
      const target = this.#findUri(name);
      if (target === undefined) return unknown("resource", name);
      const sent = { ...params, ref: { ...ref, uri: target.uri } };
      return callFleet(target.fleet, this.#access, client, "completion/complete", sent, exchange);
    }
    const target = await this.#find(name, prompts);
    if (target === undefined) return unknown("prompt", name);
    const sent = { ...params, ref: { ...ref, name: target.name } };
    return callFleet(target.fleet, this.#access, client, "completion/complete", sent, exchange);
  }

  async #merge<Item>(kind: MergedKind<Item>, client: ServiceClient, params: Params | undefined): Promise<RpcReply> {
    return { result: await mergedList(this.#registry.all(), kind, params?.cursor, this.#log, this.#access, client) };
  }

  /** The fleet of a federated name, and the name there. */
  async #find(text: string, { list }: MergedKind<Named>): Promise<{ fleet: Fleet; name: string } | undefined> {
    const parts = splitFederatedName(text);
    const fleet = this.#fleet(parts?.server);
    if (parts === undefined || fleet === undefined) return undefined;
    if (!parts.cut) return { fleet, name: parts.name };
    const whole = (await list(fleet)).find(({ name }) => federatedName(fleet.name, name) === text);
    return { fleet, name: whole?.name ?? parts.name };
  }

  /** The fleet of a name; one that is hidden from the caller does not exist. */
  #fleet(server: string | undefined): Fleet | undefined {
    const fleet = server === undefined ? undefined : this.#registry.get(server);
    return fleet !== undefined && this.#access.knows(fleet) ? fleet : undefined;
  }

  #findUri(text: string): { fleet: Fleet; uri: string } | undefined {
    const parts = splitFederatedUri(text);
    const fleet = this.#fleet(parts?.server);
    return parts === undefined || fleet === undefined ? undefined : { fleet, uri: parts.uri };
  }
}

const unknown = (what: string, text: string): RpcReply => ({
  error: { code: -32602, message: `Unknown ${what}: ${excerpt(text)}` },
});

/** Who does not offer tasks works on a call as if none had been wanted (2025-11-25, basic/utilities/tasks, "Task Support"). */
function withoutTask(params: Params | undefined): Params | undefined {
  if (params?.task === undefined) return params;
  const { task: _task, ...rest } = params;
  return rest;
}
