import type { Logger } from "pino";
import type { ResolvedServer } from "../../config/index.ts";
import { DnsDiscovery } from "./dns.ts";
import { DockerDiscovery } from "./docker.ts";
import type { InstanceDiscovery } from "./instance-discovery.ts";
import { KubernetesDiscovery } from "./kubernetes.ts";
import { StaticDiscovery } from "./static.ts";

export type { FoundListener, InstanceDiscovery } from "./instance-discovery.ts";

/** All ways in which a server's configuration says that its instances are found. */
export function discoveriesOf(server: ResolvedServer, log: Logger): readonly InstanceDiscovery[] {
  const { endpoints, discovery = {}, protocol } = server;
  const listed = [
    ...(endpoints ?? []).map((address) => ({ address })),
    ...(discovery.static ?? []).map(({ url, weight, zone }) => ({ address: url, weight, zone })),
  ];
  const plain = protocol === "ws" || protocol === "tcp" ? protocol : "http";
  const scheme = server.tls === undefined || plain === "tcp" ? plain : (`${plain}s` as const);
  return [
    ...(listed.length === 0 ? [] : [new StaticDiscovery(listed)]),
    ...(discovery.dns === undefined ? [] : [new DnsDiscovery({ ...discovery.dns, scheme, log })]),
    ...(discovery.kubernetes === undefined ? [] : [new KubernetesDiscovery({ ...discovery.kubernetes, scheme, log })]),
    ...(discovery.docker === undefined ? [] : [new DockerDiscovery({ ...discovery.docker, scheme, log })]),
  ];
}
