import { randomUUID } from "node:crypto";
import type { RequestListener, Server } from "node:http";
import Fastify, { type FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { FleetError } from "../errors.ts";
import type { Metrics } from "../observability/metrics.ts";
import { errorReply } from "../protocol/json-rpc.ts";
import type { FleetRegistry } from "../registry/fleet-registry.ts";
import type { Executor } from "../routing/executor.ts";

export interface RestOptions {
  readonly server: Server;
  readonly registry: FleetRegistry;
  readonly executor: Executor;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly maxBodyBytes: number;
  /** The gateway takes no new work. */
  readonly draining: () => boolean;
}

/** Body of `POST /api/v1/servers/<server>/requests`. */
interface ExecuteBody {
  readonly method: string;
  readonly params?: Record<string, unknown>;
  readonly priority?: string;
  readonly useCache?: boolean;
  readonly metadata?: Record<string, unknown>;
}

const executeSchema = {
  body: {
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
  },
} as const;

/** Everything on the gateway's port that is not MCP: REST, health, metrics. Returns its request listener. */
export async function createRest(options: RestOptions): Promise<{ listener: RequestListener; app: FastifyInstance }> {
  const { registry, executor, metrics, log, draining } = options;
  let listener: RequestListener = () => {};
  const app = Fastify({
    bodyLimit: options.maxBodyBytes,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    serverFactory: (handler) => {
      listener = handler;
      return options.server;
    },
  });

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (error instanceof FleetError) return reply.status(error.kind.status).send(errorReply(error));
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error, path: request.url }, "a request failed unexpectedly");
    const message = status >= 500 ? "Internal error" : `${request.method} ${request.url}: ${error.message}`;
    return reply.status(status).send({ error: { code: -32600, message } });
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .status(404)
      .send({ error: { code: -32600, message: `nothing is served at ${request.method} ${request.url}` } }),
  );

  app.get("/health", async () => ({ status: "ok" }));
  app.get("/ready", async (_request, reply) => {
    const servers = Object.fromEntries(registry.all().map((fleet) => [fleet.name, fleet.status().health]));
    const ready = !draining() && Object.values(servers).every((health) => health === "ready" || health === "idle");
    return reply.status(ready ? 200 : 503).send({ ready, servers });
  });
  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));

  app.get("/api/v1/servers", async () => registry.all().map((fleet) => fleet.status()));
  app.get<{ Params: { server: string } }>("/api/v1/servers/:server", async ({ params }) => {
    const fleet = executor.fleet(params.server);
    return { ...fleet.status(), toolNames: (await fleet.listTools()).map(({ name }) => name) };
  });
  app.post<{ Params: { server: string }; Body: ExecuteBody }>(
    "/api/v1/servers/:server/requests",
    { schema: executeSchema },
    async ({ params, body }, reply) => {
      // Each request is an owner of its own: without a session, nobody may meet another caller's state.
      const owner = `rest-${randomUUID()}`;
      try {
        const answer = await executor.execute({ owner, caller: undefined }, params.server, body.method, body.params);
        log.info({ server: params.server, method: body.method, metadata: body.metadata }, "request executed");
        return "error" in answer ? reply.status(statusOf(answer.error.code)).send(answer) : answer;
      } finally {
        void registry.get(params.server)?.release(owner);
      }
    },
  );
  await app.ready();
  return { listener, app };
}

/** HTTP status for a server's own error: the caller's mistake, or a failure behind the gateway. */
function statusOf(rpcCode: number): number {
  return rpcCode === -32601 || rpcCode === -32602 ? 400 : 502;
}
