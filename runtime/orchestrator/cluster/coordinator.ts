import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import Fastify, { type FastifyInstance } from "fastify";
import { type ClusterMember, missedHeartbeats, type NodeReport, wrongReport } from "./node-report.ts";

export interface CoordinatorOptions {
  /** Defaults to 127.0.0.1; anything else needs a token. */
  readonly host?: string;
  /** 0 takes a free one. Defaults to 0. */
  readonly port?: number;
  /** Nodes send it as `Authorization: Bearer …`. Defaults to none. */
  readonly token?: string | undefined;
  /** Milliseconds of a clock that never goes back. Defaults to that of the process. */
  readonly now?: () => number;
}

interface Known {
  readonly report: NodeReport;
  readonly heardAt: number;
}

const maxNodes = 1000;
const maxReportBytes = 256 * 1024;

/**
 * Where the nodes of a cluster meet: each reports its servers with a heartbeat and gets all living nodes back. Keeps
 * nothing but the last reports: after a restart the cluster is complete again within one heartbeat.
 */
export class ClusterCoordinator {
  readonly url: string;
  readonly #app: FastifyInstance;

  private constructor(app: FastifyInstance, url: string) {
    this.#app = app;
    this.url = url;
  }

  /** `PUT` and `DELETE /cluster/nodes/<id>`, `GET /cluster/nodes`. Rejects when the port is taken. */
  static async start(options: CoordinatorOptions = {}): Promise<ClusterCoordinator> {
    const { host = "127.0.0.1", port = 0, token, now = () => performance.now() } = options;
    if (host !== "127.0.0.1" && host !== "::1" && token === undefined)
      throw new TypeError(`host is "${host}", which other machines reach; give a token`);
    const nodes = new Map<string, Known>();
    const app = Fastify({ bodyLimit: maxReportBytes });
    const living = (): ClusterMember[] => {
      for (const [id, { report, heardAt }] of nodes)
        if (now() - heardAt > missedHeartbeats * report.heartbeatMs) nodes.delete(id);
      return [...nodes.values()].map(({ report, heardAt }) => ({ ...report, ageMs: Math.round(now() - heardAt) }));
    };
    if (token !== undefined) {
      const wanted = digest(`Bearer ${token}`);
      app.addHook("onRequest", async (request, reply) => {
        if (timingSafeEqual(digest(request.headers.authorization ?? ""), wanted)) return;
        await reply.status(401).send({ error: "send the coordinator's token as `Authorization: Bearer <token>`" });
      });
    }
    app.get("/cluster/nodes", async () => ({ nodes: living() }));
    app.put<{ Params: { id: string } }>("/cluster/nodes/:id", async ({ params: { id }, body }, reply) => {
      const wrong = wrongReport(body);
      if (wrong !== undefined) return reply.status(400).send({ error: wrong });
      if (!nodes.has(id) && living().length >= maxNodes)
        return reply.status(503).send({ error: `the cluster has ${maxNodes} nodes already` });
      nodes.set(id, { report: { ...(body as NodeReport), nodeId: id }, heardAt: now() });
      return { nodes: living() };
    });
    app.delete<{ Params: { id: string } }>("/cluster/nodes/:id", async ({ params: { id } }) => {
      nodes.delete(id);
      return { nodes: living() };
    });
    await app.listen({ host, port });
    const { port: bound } = app.server.address() as AddressInfo;
    return new ClusterCoordinator(app, `http://${host.includes(":") ? `[${host}]` : host}:${bound}`);
  }

  async close(): Promise<void> {
    const closed = once(this.#app.server, "close");
    this.#app.server.closeAllConnections();
    await this.#app.close();
    await closed;
  }
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
