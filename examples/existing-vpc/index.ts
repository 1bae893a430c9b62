import { Config } from "@pulumi/pulumi";
import { MCPGateway, MCPServerFleet } from "mcp-fleet";

// Network, cluster, name space and certificate are there already; the stack only names them.
const config = new Config();
const environment = {
  vpcId: config.require("vpcId"),
  privateSubnetIds: config.requireObject<string[]>("privateSubnetIds"),
  clusterArn: config.require("clusterArn"),
  clusterName: config.require("clusterName"),
  namespaceId: config.require("namespaceId"),
  namespaceName: config.require("namespaceName"),
  gatewaySecurityGroupId: config.require("gatewaySecurityGroupId"),
};
const image = config.require("image");

const thinking = new MCPServerFleet("thinking", {
  platform: "aws",
  type: "sequential",
  container: { image },
  aws: { environment },
});
const gateway = new MCPGateway("gateway", {
  platform: "aws",
  fleets: [thinking],
  container: { image },
  auth: { bearerTokens: [{ name: "agents", token: "file:/run/secrets/mcp-fleet/agents" }] },
  session: { keys: [{ id: "1", key: "file:/run/secrets/mcp-fleet/session" }] },
  secrets: { agents: config.requireSecret("agentsToken"), session: config.requireSecret("sessionKey") },
  aws: {
    environment,
    host: config.require("host"),
    certificateArn: config.require("certificateArn"),
    ingressCidrs: ["10.0.0.0/8"],
  },
});

export const endpoint = gateway.endpoint;
