import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { FleetError } from "../../errors.ts";
import { bracketed } from "../../host-name.ts";
import { RequestGuard } from "../../security/request-guard.ts";
import { proofHeader } from "./node-keys.ts";
import {
  type ClusterMember,
  maxReportBytes,
  missedHeartbeats,
  type NodeReport,
  reportOf,
  wrongNodeId,
} from "./node-report.ts";

export interface CoordinatorOptions {
  /** Nodes send it as `Authorization: Bearer …`. */
  readonly token: string;
  /** Defaults to 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free one. Defaults to 0. */
  readonly port?: number;
  /** `Host` header names accepted besides loopback ones and addresses. Defaults to none. */
  readonly allowedHosts?: readonly string[];
  /** Milliseconds of a monotonic clock. Defaults to that of the process. */
  readonly now?: () => number;
}

interface Known {
  readonly report: NodeReport;
  readonly heardAt: number;
  /** Digest of the proof that the node's first report carried. */
  readonly proof: Buffer;
}

/** Nodes of one cluster. */
const maxNodes = 100;
/** Servers of all nodes, so that what every heartbeat is answered stays below a megabyte. */
const maxClusterServers = 2000;
/** Connections at once: one of each node, and as many that end. */
const maxConnections = 4 * maxNodes;
const requestMs = 10_000;
const shortestProof = 32;
const longestProof = 128;

/**
 * Where the nodes of a cluster meet: each reports its servers with a heartbeat and gets all living nodes back. A node's id
 * belongs to the secret that first came with it, as long as the node lives. Keeps nothing but the last reports: after a
 * restart the cluster is complete again within one heartbeat.
 */
export class ClusterCoordinator {
  readonly url: string;
  readonly #app: FastifyInstance;

  private constructor(app: FastifyInstance, url: string) {
    this.#app = app;
    this.url = url;
  }

  /**
   * `PUT` and `DELETE /cluster/nodes/<id>`, `GET /cluster/nodes`. Rejects with CONFIG_INVALID without a token, and when the
   * port is taken.
   */
  static async start(options: CoordinatorOptions): Promise<ClusterCoordinator> {
    const { host = "127.0.0.1", port = 0, token, allowedHosts = [], now = () => performance.now() } = options ?? {};
    if (typeof token !== "string" || token === "") {
      const fix = "give a long random text that every node gets, too";
      throw new FleetError("CONFIG_INVALID", `token of the cluster's coordinator is missing; ${fix}`);
    }
    const nodes = new Map<string, Known>();
    const app = Fastify({
      bodyLimit: maxReportBytes,
      requestTimeout: requestMs,
      routerOptions: { maxParamLength: 64 },
    });
    app.server.maxConnections = maxConnections;
    const living = (): ClusterMember[] => {
      for (const [id, { report, heardAt }] of nodes)
        if (now() - heardAt > missedHeartbeats * report.heartbeatMs) nodes.delete(id);
      return [...nodes.values()].map(({ report, heardAt }) => ({ ...report, ageMs: Math.round(now() - heardAt) }));
    };
    app.addHook("onRequest", admission(new RequestGuard({ host, allowedHosts, allowedOrigins: [] }), token));
    app.get("/cluster/nodes", async () => ({ nodes: living() }));
    app.put<{ Params: { id: string } }>("/cluster/nodes/:id", async ({ params: { id }, headers, body }, reply) => {
      const wrongId = wrongNodeId(id);
      if (wrongId !== undefined) return refuse(reply, 400, wrongId);
      const others = living().filter(({ nodeId }) => nodeId !== id);
      const proof = digest(String(headers[proofHeader]));
      const wrong = wrongProof(headers[proofHeader]) ?? foreign(nodes.get(id), proof, id);
      if (wrong !== undefined) return refuse(reply, 403, wrong);
      const report = reportOf(body, id);
      if (typeof report === "string") return refuse(reply, 400, report);
      if (others.length >= maxNodes) return refuse(reply, 503, `the cluster has ${maxNodes} nodes already`);
      const servers = others.reduce((sum, other) => sum + other.servers.length, report.servers.length);
      if (servers > maxClusterServers)
        return refuse(reply, 503, `the cluster has ${maxClusterServers} servers already; report fewer`);
      nodes.set(id, { report, heardAt: now(), proof });
      return { nodes: living() };
    });
    app.delete<{ Params: { id: string } }>("/cluster/nodes/:id", async ({ params: { id }, headers }, reply) => {
      const known = nodes.get(id);
      if (known !== undefined) {
        const wrong = wrongProof(headers[proofHeader]) ?? foreign(known, digest(String(headers[proofHeader])), id);
        if (wrong !== undefined) return refuse(reply, 403, wrong);
        nodes.delete(id);
      }
      return { nodes: living() };
    });
    await app.listen({ host, port });
    const { port: bound } = app.server.address() as AddressInfo;
    return new ClusterCoordinator(app, `http://${bracketed(host)}:${bound}`);
  }

  async close(): Promise<void> {
    const closed = once(this.#app.server, "close");
    this.#app.server.closeAllConnections();
    await this.#app.close();
    await closed;
  }
}

/** Refuses requests of web pages, then requests without the cluster's token. */
function admission(guard: RequestGuard, token: string) {
  const wanted = digest(`Bearer ${token}`);
  return async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      guard.check(request.raw);
    } catch (error) {
      const { message, kind } = error as FleetError;
      return refuse(reply, kind.status, message.replace("gateway.allowedHosts", "--allowed-host"));
    }
    if (timingSafeEqual(digest(request.headers.authorization ?? ""), wanted)) return undefined;
    return refuse(reply, 401, "send the coordinator's token as `Authorization: Bearer <token>`");
  };
}

const refuse = (reply: FastifyReply, status: number, error: string) => reply.status(status).send({ error });

function wrongProof(proof: unknown): string | undefined {
  const sound = typeof proof === "string" && proof.length >= shortestProof && proof.length <= longestProof;
  return sound ? undefined : `send the node's proof as ${proofHeader}, ${shortestProof} to ${longestProof} characters`;
}

/** The first node under an id keeps it. */
function foreign(known: Known | undefined, proof: Buffer, id: string): string | undefined {
  if (known === undefined || timingSafeEqual(known.proof, proof)) return undefined;
  return `the id "${id}" is another node's; choose another nodeId, or wait until that node is taken for dead`;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
