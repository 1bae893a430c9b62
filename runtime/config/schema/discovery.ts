import Type, { type Static } from "typebox";
import { addressExamples, addressPattern } from "./address-rules.ts";

const options = { additionalProperties: false } as const;
const path = Type.Optional(
  Type.String({ pattern: "^/", description: "Path of the MCP endpoint of each instance. Defaults to /mcp." }),
);
const refreshMs = Type.Optional(Type.Integer({ minimum: 100, description: "Between two looks. Defaults to 10000." }));

/** Instances that are listed here, with what a plain list of endpoints cannot say. */
export const StaticInstance = Type.Object(
  {
    url: Type.String({ pattern: addressPattern, examples: addressExamples, description: "As in `endpoints`." }),
    weight: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: "Share of the calls beside the others. Defaults to 1." }),
    ),
    zone: Type.Optional(Type.String({ minLength: 1, description: "Where it is. Defaults to nowhere." })),
  },
  options,
);

/** Addresses of a name: one instance for each A, AAAA or SRV record. */
export const DnsDiscovery = Type.Object(
  {
    name: Type.String({ minLength: 1, description: "Fully qualified." }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: "Defaults to what SRV records say." })),
    path,
    refreshMs,
    resolver: Type.Optional(
      Type.String({ minLength: 1, description: "Name server as `address:port`. Defaults to the system's." }),
    ),
  },
  options,
);

/** Pods behind a Service, as EndpointSlices show them; the gateway's service account needs to list and watch those. */
export const KubernetesDiscovery = Type.Object(
  {
    service: Type.String({ minLength: 1, description: "Name of the Service." }),
    namespace: Type.Optional(Type.String({ minLength: 1, description: "Defaults to the gateway's own." })),
    port: Type.Optional(Type.String({ minLength: 1, description: "Name of the port. Defaults to the first." })),
    path,
    apiServer: Type.Optional(
      Type.String({ pattern: "^https?://", description: "Defaults to the one of the pod's environment." }),
    ),
    credentials: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "Folder with `token`, `ca.crt` and `namespace`. Defaults to /var/run/secrets/kubernetes.io/serviceaccount.",
      }),
    ),
  },
  options,
);

/** Running containers with a label. Labels `mcp-fleet.port`, `.path`, `.weight` and `.zone` say more of each. */
export const DockerDiscovery = Type.Object(
  {
    label: Type.String({ minLength: 1, description: "`name` or `name=value` that a container must have." }),
    network: Type.Optional(
      Type.String({ minLength: 1, description: "Network of the address to use. Defaults to a container's only one." }),
    ),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65535, description: "Where no label says it. Defaults to 8080." }),
    ),
    path,
    socket: Type.Optional(Type.String({ minLength: 1, description: "Defaults to /var/run/docker.sock." })),
  },
  options,
);

/** Where instances are looked for that something else runs; several ways add up. */
export const Discovery = Type.Object(
  {
    static: Type.Optional(Type.Array(StaticInstance, { minItems: 1, description: "Listed instances." })),
    dns: Type.Optional(DnsDiscovery),
    kubernetes: Type.Optional(KubernetesDiscovery),
    docker: Type.Optional(DockerDiscovery),
  },
  options,
);

export type StaticInstance = Static<typeof StaticInstance>;
export type DnsDiscovery = Static<typeof DnsDiscovery>;
export type KubernetesDiscovery = Static<typeof KubernetesDiscovery>;
export type DockerDiscovery = Static<typeof DockerDiscovery>;
export type Discovery = Static<typeof Discovery>;
