import { expect, test } from "@jest/globals";
import { configText } from "../../../components/kubernetes/gateway-config.ts";
import { type KnownEgress, unreachedProblems } from "../../../components/kubernetes/reach.ts";
import { InputError } from "../../../index.ts";
import type { ConfigFile } from "../../../runtime/config/schema/index.ts";
import { gatewayArgs } from "../../support/kubernetes-program.ts";

/** Makes the configuration of a gateway in front of one endpoint, as a preview does. */
const configured = (endpoint: string, network: KnownEgress = {}) => {
  const serving = JSON.stringify({ type: "custom", endpoints: [endpoint] });
  const named = { component: 'MCPGateway "gateway"', name: "gateway", namespace: "tools" };
  const { auth, session } = gatewayArgs;
  const fleets = [{ serverName: "search", configuration: serving }];
  return configText({ ...named, settings: { auth, session }, fleets, hosts: [], network });
};

test("a server that the network policy would cut off is refused, with its port", () => {
  expect(() => configured("http://search.other:3000/mcp")).toThrow(
    new InputError('MCPGateway "gateway"', [
      'fleet "search": endpoints[0] is http://search.other:3000/mcp, but the gateway\'s network policy lets nothing out to port 3000; add 3000 to kubernetes.network.egressPorts of the gateway, and its place to kubernetes.network.egressNamespaces or egressCidrs',
    ]),
  );
  // A port without a place is let out nowhere.
  expect(() => configured("http://search.other:3000/mcp", { egressPorts: [3000] })).toThrow("to port 3000; add 3000");
});

test.each([
  ["of the web", "https://mcp.example.com/mcp", undefined],
  ["of a namespace", "http://search.other:3000/mcp", { egressNamespaces: ["other"], egressPorts: [3000] }],
  ["at an address", "ws://10.1.2.3/ws", { egressCidrs: ["10.0.0.0/8"], egressPorts: [80] }],
])("a server %s that the network policy lets the gateway call is served", (_, endpoint, network) => {
  expect(JSON.parse(configured(endpoint, network)).servers.search.endpoints).toEqual([endpoint]);
});

test("everything that a gateway calls is looked at; references to addresses are not known", () => {
  const config = {
    gateway: {
      shared: { redis: "redis://redis.data", cacheRedis: "file:/run/secrets/mcp-fleet/redis" },
      auth: {
        jwt: [
          { issuer: "https://login.example.com:8443", audience: "mcp", introspection: { url: "https://a.example:1" } },
          { issuer: "https://login.example.com:9443", audience: "mcp", jwksFile: "/run/secrets/mcp-fleet/keys" },
        ],
      },
    },
    servers: {
      listed: {
        type: "custom",
        discovery: { static: [{ url: "tcp://10.0.0.1:7000" }], dns: { name: "a.b", port: 81 } },
      },
      inside: {
        type: "custom",
        endpoints: ["https://user:hidden@mcp.example.com:444/mcp"],
        credentials: { oauth: { grant: "client-credentials", issuer: "https://login.example.com:445" } },
      },
    },
  } as unknown as ConfigFile;
  const found = unreachedProblems(config).map((problem) => problem.split(", but ")[0]);
  expect(found).toEqual([
    "shared.redis is redis://redis.data",
    "auth.jwt[0].issuer is https://login.example.com:8443",
    "auth.jwt[0].introspection.url is https://a.example:1",
    'fleet "listed": discovery.static[0].url is tcp://10.0.0.1:7000',
    'fleet "listed": discovery.dns.port is a.b',
    'fleet "inside": endpoints[0] is https://mcp.example.com:444/mcp',
    'fleet "inside": credentials.oauth.issuer is https://login.example.com:445',
  ]);
});
