import { createRequire } from "node:module";
import type { GatewayIdentity } from "./upstreams/handshake.ts";

// One folder deeper once it is built: dist/runtime/version.js.
const manifest = import.meta.url.endsWith(".ts") ? "../package.json" : "../../package.json";
const { version } = createRequire(import.meta.url)(manifest) as { version: string };

/** How the gateway names itself to clients and to servers. */
export const identity: GatewayIdentity = { name: "mcp-fleet", version };
