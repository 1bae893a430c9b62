import { resolveConfig } from "../../../runtime/config/index.ts";
import type { Credentials, Server } from "../../../runtime/config/schema/index.ts";
import { TestGateway } from "../../support/gateway.ts";
import { logIn } from "../../support/login.ts";
import { connect, driveOf, type ScenarioContext } from "./scenarios.ts";

// The suite's client scenarios start this with the URL of their server: a gateway in front of it, and a real client.
const { MCP_CONFORMANCE_SCENARIO: name = "", MCP_CONFORMANCE_PROTOCOL_VERSION: revision = "" } = process.env;
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "{}") as ScenarioContext;
const upstream = process.argv[2] as string;
/** A server that wants another login after so many will not be content with one more. */
const maxLogins = 3;

/** Which authorization server the suite has set up, for clients that were registered there beforehand. */
async function issuerOf(server: string): Promise<string> {
  const metadata = await fetch(new URL("/.well-known/oauth-protected-resource/mcp", server));
  return ((await metadata.json()) as { authorization_servers: string[] }).authorization_servers[0] as string;
}

function grantOf(scenario: string) {
  if (scenario.startsWith("auth/client-credentials")) return "client-credentials";
  return scenario === "auth/wif-jwt-bearer" ? "jwt-bearer" : "authorization-code";
}

async function credentials(): Promise<Credentials> {
  const {
    client_id: clientId,
    client_secret: clientSecret,
    private_key_pem: privateKey,
    valid_jwt: assertion,
  } = context;
  const grant = grantOf(name);
  // Where the suite looks for Client ID Metadata Documents; it does not fetch it.
  const clientMetadataUrl = "https://conformance-test.local/client-metadata.json";
  if (clientId === undefined) return { oauth: { grant, clientMetadataUrl } };
  const proof = {
    ...(clientSecret && { clientSecret }),
    ...(privateKey && { privateKey }),
    ...(assertion && { assertion }),
  };
  return { oauth: { grant, issuer: await issuerOf(upstream), clientId, ...proof } };
}

const server: Server = {
  ...{ type: "custom", endpoints: [upstream], isolation: "shared" },
  ...(name.startsWith("auth/") ? { credentials: await credentials() } : {}),
};
const config = { servers: { suite: server } };
const gateway = await TestGateway.start(config);

async function drive(): Promise<void> {
  const client = await connect(new URL("/mcp/suite", gateway.url), revision >= "2026");
  try {
    await driveOf(name)?.(client, context);
  } finally {
    await client.close();
  }
}

try {
  for (let logins = 0; ; logins += 1) {
    try {
      await drive();
      break;
    } catch (error) {
      const wanted = String((error as { data?: { text?: string } }).data?.text ?? error).includes("mcp-fleet login");
      if (!wanted || logins === maxLogins) throw error;
      await logIn(resolveConfig(config).servers[0] as never, gateway.folder);
    }
  }
} finally {
  await gateway.close();
}
