import { expect, test } from "@jest/globals";
import { resolveGateway } from "../../../components/gateway/resolve.ts";
import { systemdDefaults } from "../../../components/systemd/defaults.ts";
import { fleetUnits } from "../../../components/systemd/fleet-units.ts";
import { gatewayConfigText, servedFleets } from "../../../components/systemd/gateway-config.ts";
import { gatewayInstances, gatewayUnits } from "../../../components/systemd/gateway-units.ts";
import { loopbackAddress } from "../../../components/systemd/names.ts";
import { unitText } from "../../../components/systemd/unit-text.ts";
import { clock, front, notes } from "./workloads.ts";

const node = process.execPath;
const program = `"${node}" "/opt/mcp-fleet/mcp-fleet.js"`;

const hardened = `DynamicUser=yes
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
PrivateUsers=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
DevicePolicy=closed
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
Restart=always
RestartSec=2
TimeoutStartSec=180
KillMode=mixed
TasksMax=512
`;

test("a fleet's template is the same whatever the stack says; what it says is a drop-in", () => {
  const units = fleetUnits(notes({ secrets: ["API_KEY"], secretFiles: { CERT: "/srv/cert 1%" } }));
  expect(units).toEqual({
    "shop-test-fleet-notes@.service": `[Unit]
Description=MCP server notes, instance at port %i
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
${hardened}
[Install]
WantedBy=multi-user.target
`,
    "shop-test-fleet-notes@.service.d/50-stack.conf": `[Service]
Type=notify
NotifyAccess=all
ExecStart=${program} "host" "--host" "${loopbackAddress("shop-test-fleet-notes")}" "--name" "notes" --port %i --token-file /run/secrets/mcp-fleet/mcp-fleet.token
Environment="MCP_SERVER={\\"type\\":\\"custom\\",\\"process\\":{\\"command\\":\\"notes\\",\\"args\\":[\\"100%%\\",\\"\\\\\\"all\\\\\\"\\"]}}"
Environment="MCP_FLEET_CACHE=/var/cache/mcp-fleet"
LoadCredential=mcp-fleet.token:/etc/mcp-fleet/shop-test-fleet-notes/mcp-fleet.token
LoadCredential=API_KEY:/etc/mcp-fleet/shop-test-fleet-notes/API_KEY
LoadCredential=CERT:/srv/cert 1%%
BindReadOnlyPaths=%d:/run/secrets/mcp-fleet
CPUQuota=100%
MemoryMax=512M
MemorySwapMax=0
TimeoutStopSec=15
IPAddressDeny=any
IPAddressAllow=localhost
`,
  });
});

test("a server that serves HTTP itself is told its port; its secrets are an environment that only root reads", () => {
  expect(fleetUnits(clock)["shop-test-fleet-notes@.service.d/50-stack.conf"]).toBe(`[Service]
Type=exec
ExecStart="${node}" "clock.js" "$$HOME" "50%%"
Environment="PORT=%i"
Environment="TZ=UTC"
EnvironmentFile=/etc/mcp-fleet/shop-test-fleet-notes/environment
CPUQuota=25%
MemoryMax=128M
MemorySwapMax=0
TimeoutStopSec=15

[X-Tags]
team=search
`);
});

test("a gateway's service and its socket: configuration and secrets are credentials, the stop fits the drain", () => {
  expect(gatewayUnits(front({ host: "::1" }))).toEqual({
    "shop-test-gateway-front.service": `[Unit]
Description=MCP gateway front
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0
Requires=shop-test-gateway-front.socket
After=shop-test-gateway-front.socket

[Service]
${hardened}StateDirectory=shop-test-gateway-front
StateDirectoryMode=0700
BindPaths=%S/shop-test-gateway-front:/var/lib/mcp-fleet

[Install]
WantedBy=multi-user.target
`,
    "shop-test-gateway-front.service.d/50-stack.conf": `[Service]
Type=notify
NotifyAccess=all
ExecStart=${program} "serve" "--config" "/run/secrets/mcp-fleet/mcp-fleet.config.json" "--state" "/var/lib/mcp-fleet"
Environment="MCP_FLEET_CACHE=/var/cache/mcp-fleet"
LoadCredential=mcp-fleet.config.json:/etc/mcp-fleet/shop-test-gateway-front/mcp-fleet.config.json
LoadCredential=ada:/etc/mcp-fleet/shop-test-gateway-front/ada
LoadCredential=mcp-fleet.notes:/etc/mcp-fleet/shop-test-fleet-notes/mcp-fleet.token
BindReadOnlyPaths=%d:/run/secrets/mcp-fleet
CPUQuota=100%
MemoryMax=512M
MemorySwapMax=0
TimeoutStopSec=25
`,
    "shop-test-gateway-front.socket": `[Unit]
Description=Port of the MCP gateway front

[Install]
WantedBy=sockets.target
`,
    "shop-test-gateway-front.socket.d/50-stack.conf": "[Socket]\nListenStream=[::1]:8080\n",
  });
  expect(gatewayInstances("front")).toEqual(["front.socket", "front.service"]);
});

test("a gateway's configuration: tokens of fleets are credentials of its own; what is elsewhere stays as it is", () => {
  const header = { scheme: "Bearer", value: "file:/etc/mcp-fleet/shop-test-fleet-notes/mcp-fleet.token" };
  const remote = {
    type: "custom",
    endpoints: ["https://a/mcp"],
    credentials: { header: { value: "file:/srv/token" } },
  };
  const { servers, tokens } = servedFleets([
    {
      serverName: "notes",
      configuration: JSON.stringify({
        type: "custom",
        endpoints: ["http://127.64.0.1:3001/mcp"],
        credentials: { header },
      }),
    },
    { serverName: "remote", configuration: JSON.stringify(remote) },
  ]);
  expect(tokens).toEqual({ "mcp-fleet.notes": "/etc/mcp-fleet/shop-test-fleet-notes/mcp-fleet.token" });
  const args = { platform: "systemd", port: 9000, fleets: [{ serverName: "notes" }] };
  const settings = resolveGateway("gateway", args);
  expect(JSON.parse(gatewayConfigText(settings, settings.common, servers))).toEqual({
    gateway: { host: "127.0.0.1", port: 9000 },
    servers: {
      notes: {
        ...{ type: "custom", endpoints: ["http://127.64.0.1:3001/mcp"] },
        credentials: { header: { scheme: "Bearer", value: "file:/run/secrets/mcp-fleet/mcp-fleet.notes" } },
      },
      remote,
    },
  });
});

test("each fleet has a loopback address of its own", () => {
  expect(["a", "b"].map(loopbackAddress)).toEqual(["127.74.151.130", "127.126.35.233"]);
});

test("sections without lines are left out", () => {
  expect(unitText({ Unit: [["Description", "x"]], "X-Tags": [] })).toBe("[Unit]\nDescription=x\n");
});

test("defaults are a contract", () => {
  expect(systemdDefaults).toEqual({
    ...{
      unitDirectory: "/etc/systemd/system",
      configDirectory: "/etc/mcp-fleet",
      packageCache: "/var/cache/mcp-fleet",
    },
    ...{ stateFolder: "/var/lib/mcp-fleet", cpuMillicores: 1000, memoryMiB: 512, fleetInstances: 1 },
    ...{ host: "127.0.0.1", port: 8080, hostPort: 3001, path: "/mcp", drainMs: 10_000, graceMarginSeconds: 5 },
    ...{ startSeconds: 180, restartSeconds: 2, tasks: 512 },
  });
});
