import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import { chartFile } from "../../pages/index.ts";
import type { FleetStatus } from "../../registry/fleet-status.ts";
import { identity } from "../../version.ts";
import type { Metrics } from "../metrics.ts";
import { page, script, style } from "./page.ts";
import { dashboardView } from "./view.ts";

export interface DashboardOptions {
  readonly metrics: Metrics;
  /** Fleets that who makes a request may use. */
  readonly statusesFor: (request: IncomingMessage) => Promise<readonly FleetStatus[]>;
}

/** The page runs no script but its own files and loads nothing from elsewhere; Chart.js sets styles of elements. */
const policy =
  "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** What the page is made of, without data: whoever may not see the data sees a field for a token. */
export const openPages: ReadonlySet<string> = new Set([
  ...["/dashboard", "/dashboard/page.css", "/dashboard/page.js", "/dashboard/chart.js"],
]);

/** Adds `/dashboard`, the live page for people, and `/dashboard/data`, which it asks. */
export function addDashboard(app: FastifyInstance, { metrics, statusesFor }: DashboardOptions): void {
  app.get("/dashboard", async (_request, reply) =>
    reply.type("text/html; charset=utf-8").header("content-security-policy", policy).send(page),
  );
  app.get("/dashboard/page.css", async (_request, reply) => reply.type("text/css").send(style));
  app.get("/dashboard/page.js", async (_request, reply) => reply.type("text/javascript").send(script));
  app.get("/dashboard/chart.js", async (_request, reply) =>
    reply
      .type("text/javascript")
      .header("cache-control", "max-age=86400")
      .send(await readFile(chartFile())),
  );
  app.get("/dashboard/data", async ({ raw }, reply) => {
    const about = { at: Date.now(), version: identity.version };
    const view = dashboardView(about, await statusesFor(raw), await metrics.samples());
    return reply.header("cache-control", "no-store").send(view);
  });
}
