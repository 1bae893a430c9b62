import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Params } from "../protocol/json-rpc.ts";
import type { ToolDescription } from "../registry/catalog.ts";
import type { FleetRegistry } from "../registry/fleet-registry.ts";
import { merged } from "../routing/merged-list.ts";
import type { Access } from "../security/index.ts";
import { identity } from "../version.ts";

export interface ApiDocsOptions {
  readonly registry: FleetRegistry;
  readonly authenticated: boolean;
  readonly callerOf: (request: IncomingMessage) => Access;
  /** Path items besides those of every gateway. */
  readonly paths: Params;
  readonly log: Logger;
}

/** Files of Swagger UI that the page loads, with their media types. */
const assets: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css",
  "swagger-ui-bundle.js": "text/javascript",
};
/** The page runs no script but its own files and loads nothing from elsewhere; Swagger UI sets styles of elements. */
const policy =
  "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "frame-ancestors 'none'; base-uri 'none'";
const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${identity.name} API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/page.js"></script>
</body>
</html>
`;
const script = `SwaggerUIBundle({ url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });\n`;

interface ServerTool {
  readonly server: string;
  readonly tool: ToolDescription;
}
const serverTools = {
  key: "tools" as const,
  list: (fleet: { listTools(): Promise<readonly ToolDescription[]> }) => fleet.listTools(),
  show: ({ name: server }: { name: string }, tool: ToolDescription): ServerTool => ({ server, tool }),
};

/** Adds `/openapi.json` and `/docs`, its page. What they need is loaded when first asked for. */
export function addApiDocs(
  app: FastifyInstance,
  { registry, authenticated, callerOf, paths, log }: ApiDocsOptions,
): void {
  app.get("/openapi.json", async ({ raw }, reply) => {
    const { openApi } = await import("./openapi.ts");
    const { items } = await merged(registry.all(), serverTools, log, callerOf(raw));
    const tools = items as ServerTool[];
    const { name: title, version } = identity;
    const text = await openApi({ title, version, authenticated, paths, tools });
    return reply.type("application/json; charset=utf-8").send(text);
  });
  app.get("/docs", async (_request, reply) =>
    reply.type("text/html; charset=utf-8").header("content-security-policy", policy).send(page),
  );
  app.get("/docs/page.js", async (_request, reply) => reply.type("text/javascript").send(script));
  for (const [name, type] of Object.entries(assets)) {
    app.get(`/docs/${name}`, async (_request, reply) =>
      reply
        .type(type)
        .header("cache-control", "max-age=86400")
        .send(await readFile(join(assetFolder(), name))),
    );
  }
}

/** In a checkout the package's own folder; the build copies what is needed of it. */
function assetFolder(): string {
  if (!import.meta.url.endsWith(".ts")) return join(import.meta.dirname, "..", "assets");
  return dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
}
