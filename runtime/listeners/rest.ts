import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, Server } from "node:http";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { FleetError } from "../errors.ts";
import { addDashboard } from "../observability/dashboard/index.ts";
import type { Metrics } from "../observability/metrics.ts";
import { parseJson } from "../protocol/exact-json.ts";
import { Exchange } from "../protocol/exchange.ts";
import { checkShape, errorReply, type Params, type RpcReply } from "../protocol/json-rpc.ts";
import type { Priority } from "../protocol/priority.ts";
import type { FleetClient } from "../registry/fleet.ts";
import type { FleetRegistry } from "../registry/fleet-registry.ts";
import type { FleetStatus } from "../registry/fleet-status.ts";
import type { Readiness } from "../registry/readiness.ts";
import type { CallWatch, Executor } from "../routing/executor.ts";
import type { Access } from "../security/index.ts";
import { addApiDocs } from "./api-docs.ts";
import { addContentCoding } from "./content-coding.ts";
import { executeBody } from "./rest-operations.ts";
import { WatchedCall } from "./watched-call.ts";

export interface RestOptions {
  readonly server: Server;
  readonly registry: FleetRegistry;
  readonly executor: Executor;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly maxBodyBytes: number;
  /** Callers need a token. */
  readonly authenticated: boolean;
  /** What who makes a request may do. */
  readonly callerOf: (request: IncomingMessage) => Access;
  /** Who may be told the servers' names at an open path; undefined for a caller without a credential. */
  readonly viewerOf: (request: IncomingMessage) => Access | undefined;
  readonly readiness: Readiness;
  /** All fleets, over all processes of the gateway. */
  readonly statuses: () => Promise<readonly FleetStatus[]>;
  /** Paths of a server host. */
  readonly more: MoreRoutes | undefined;
}

/** Paths beside those of every gateway. */
export interface MoreRoutes {
  /** Their OpenAPI path items. */
  readonly paths: Params;
  readonly add: (app: FastifyInstance, parts: Pick<RestOptions, "registry" | "metrics" | "callerOf">) => void;
}

/** Body of `POST /api/v1/servers/<server>/requests`. */
interface ExecuteBody {
  readonly method: string;
  readonly params?: Record<string, unknown>;
  readonly priority?: Priority;
  readonly useCache?: boolean;
  readonly metadata?: Record<string, unknown>;
}

/** Routes that gather what all servers say. */
const counted = new Set(["/api/v1/servers", "/api/v1/servers/:server", "/openapi.json"]);
/** Not waited for: counting has no deadline of its own. */
const enterMs = 1000;

/** Everything on the gateway's port that is not MCP: REST, health, metrics. Returns its request listener. */
export async function createRest(options: RestOptions): Promise<{ listener: RequestListener; app: FastifyInstance }> {
  const { registry, executor, metrics, log, readiness, callerOf } = options;
  let listener: RequestListener = () => {};
  const app = Fastify({
    bodyLimit: options.maxBodyBytes,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    serverFactory: (handler) => {
      listener = handler;
      return options.server;
    },
  });

  // Each request is an owner of its own: without a session, nobody may meet another caller's state.
  const answered = async (
    { raw, params }: FastifyRequest<{ Params: { server: string } }>,
    reply: FastifyReply,
    ask: (client: FleetClient, watch: CallWatch) => Promise<RpcReply>,
  ) => {
    const owner = `rest-${randomUUID()}`;
    const call = new WatchedCall(reply.raw);
    try {
      const client = { owner, caller: undefined, reader: callerOf(raw).principal.caller };
      const answer = await ask(client, (exchange) => call.began(exchange));
      return "error" in answer ? reply.status(statusOf(answer.error.code)).send(answer) : answer;
    } finally {
      void registry.get(params.server)?.release(owner);
    }
  };

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (error instanceof FleetError) {
      // What MCP answers with 200 is a mistake in the request here.
      const { status, rpc } = error.kind;
      return reply
        .status(status === 200 ? statusOf(rpc) : status)
        .headers(error.headers ?? {})
        .send(errorReply(error));
    }
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error, path: request.url }, "a request failed unexpectedly");
    const message = status >= 500 ? "Internal error" : `${request.method} ${request.url}: ${error.message}`;
    return reply.status(status).send({ error: { code: -32600, message } });
  });
  // Pages can send text without asking first (Fetch standard, "CORS-safelisted request-header"); no client of ours does.
  app.removeContentTypeParser("text/plain");
  const parse = app.getDefaultJsonParser("error", "error");
  // Bodies are of the same shape as messages over MCP: what nests without end can be parsed, but not written.
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    let exact: boolean;
    try {
      exact = checkShape(body as string);
    } catch (error) {
      done(error as FleetError);
      return;
    }
    // What it refuses stays refused; of the rest the digits are kept.
    void parse(request, body as string, (error, value) =>
      done(error, exact && error === null ? parseJson(body as string) : value),
    );
  });
  addContentCoding(app);
  app.setNotFoundHandler((request, reply) =>
    reply
      .status(404)
      .send({ error: { code: -32600, message: `nothing is served at ${request.method} ${request.url}` } }),
  );

  // What the gateway answers itself is counted like a list over MCP; calls of servers are counted where they are made.
  app.addHook("onRequest", async ({ raw, method, routeOptions }, reply) => {
    if (method === "POST" || !counted.has(routeOptions.url ?? "")) return;
    const exchange = new Exchange(enterMs);
    await callerOf(raw).enter("tools/list", exchange);
    if (exchange.headers !== undefined) reply.headers(exchange.headers);
  });

  app.get("/health", async () => ({ status: "ok" }));
  app.get("/ready", async ({ raw }, reply) => {
    const viewer = options.viewerOf(raw);
    const view = readiness.look(viewer && ((fleet) => viewer.reaches(fleet)));
    return reply.status(view.ready ? 200 : 503).send(view);
  });
  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));

  const statusesFor = async (access: Access) =>
    (await options.statuses()).filter(({ name }) => {
      const fleet = registry.get(name);
      return fleet !== undefined && access.reaches(fleet);
    });
  app.get("/api/v1/servers", ({ raw }) => statusesFor(callerOf(raw)));
  app.get<{ Params: { server: string } }>("/api/v1/servers/:server", async ({ params, raw }) => {
    const access = callerOf(raw);
    const fleet = executor.fleet(params.server, access);
    await access.check(fleet, "tools/list", undefined);
    const tools = access.visible(fleet, "tools", await fleet.listTools());
    const status = (await options.statuses()).find(({ name }) => name === fleet.name);
    return { ...status, toolNames: tools.map(({ name }) => name) };
  });
  app.post<{ Params: { server: string }; Body: ExecuteBody }>(
    "/api/v1/servers/:server/requests",
    { schema: { body: executeBody } },
    (request, reply) => {
      const { params, body } = request;
      return answered(request, reply, (client, watch) =>
        executor.execute(client, params.server, body.method, body.params, body, callerOf(request.raw), watch),
      );
    },
  );
  app.post<{ Params: { server: string; tool: string }; Body: Params | undefined }>(
    "/api/v1/servers/:server/tools/:tool",
    { schema: { body: { type: ["object", "null"] } } },
    (request, reply) => {
      const { server, tool } = request.params;
      return answered(request, reply, (client, watch) =>
        executor.callTool(client, server, tool, request.body ?? {}, callerOf(request.raw), watch),
      );
    },
  );
  addDashboard(app, { metrics, statusesFor: (request) => statusesFor(callerOf(request)) });
  addApiDocs(app, { ...options, paths: options.more?.paths ?? {} });
  options.more?.add(app, options);
  await app.ready();
  return { listener, app };
}

/** HTTP status for a server's own error: the caller's mistake, or a failure behind the gateway. */
function statusOf(rpcCode: number): number {
  return rpcCode === -32601 || rpcCode === -32602 ? 400 : 502;
}
