import { TestGateway } from "../../support/gateway.ts";
import { connect, type ScenarioContext, scenarios } from "./scenarios.ts";

// The suite's client scenarios start this with the URL of their server: a gateway in front of it, and a real client.
const { MCP_CONFORMANCE_SCENARIO: name = "", MCP_CONFORMANCE_PROTOCOL_VERSION: revision = "" } = process.env;
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "{}") as ScenarioContext;
const upstream = process.argv[2] as string;

const gateway = await TestGateway.start({
  servers: { suite: { type: "custom", endpoints: [upstream], isolation: "shared" } },
});
try {
  const client = await connect(new URL("/mcp/suite", gateway.url), revision >= "2026");
  await scenarios[name]?.(client, context);
  await client.close();
} finally {
  await gateway.close();
}
