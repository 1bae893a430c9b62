import type * as pulumi from "@pulumi/pulumi";

/** An instance with what a plain list of endpoints cannot say. */
export interface FleetStaticInstanceArgs {
  /** `http(s)://…`, `ws(s)://…` or `tcp://host:port`. */
  url: pulumi.Input<string>;
  /** Share of the calls beside the others. Defaults to 1. */
  weight?: pulumi.Input<number>;
  /** Where it is. Defaults to nowhere. */
  zone?: pulumi.Input<string>;
}

/** Addresses of a name: one instance for each A, AAAA or SRV record. */
export interface FleetDnsDiscoveryArgs {
  /** Fully qualified name. */
  name: pulumi.Input<string>;
  /** Port of each instance. Defaults to what SRV records say. */
  port?: pulumi.Input<number>;
  /** Path of the MCP endpoint of each instance. Defaults to /mcp. */
  path?: pulumi.Input<string>;
  /** Between two looks. Defaults to 10000. */
  refreshMs?: pulumi.Input<number>;
  /** Name server as `address:port`. Defaults to the system's. */
  resolver?: pulumi.Input<string>;
}

/** Pods behind a Service, as EndpointSlices show them. */
export interface FleetKubernetesDiscoveryArgs {
  /** Name of the Service. */
  service: pulumi.Input<string>;
  /** Its namespace. Defaults to the gateway's own. */
  namespace?: pulumi.Input<string>;
  /** Name of the port. Defaults to the first. */
  port?: pulumi.Input<string>;
  /** Path of the MCP endpoint of each instance. Defaults to /mcp. */
  path?: pulumi.Input<string>;
  /** URL of the cluster's API. Defaults to the one of the pod's environment. */
  apiServer?: pulumi.Input<string>;
  /** Folder with `token`, `ca.crt` and `namespace`. Defaults to /var/run/secrets/kubernetes.io/serviceaccount. */
  credentials?: pulumi.Input<string>;
}

/** Running containers with a label. */
export interface FleetDockerDiscoveryArgs {
  /** `name` or `name=value` that a container must have. */
  label: pulumi.Input<string>;
  /** Network of the address to use. Defaults to a container's only one. */
  network?: pulumi.Input<string>;
  /** Where no label says it. Defaults to 8080. */
  port?: pulumi.Input<number>;
  /** Path of the MCP endpoint of each instance. Defaults to /mcp. */
  path?: pulumi.Input<string>;
  /** Socket of the Docker host. Defaults to /var/run/docker.sock. */
  socket?: pulumi.Input<string>;
}

/** Where instances are looked for that something else runs; several ways add up. */
export interface FleetDiscoveryArgs {
  /** Listed instances. Defaults to none. */
  static?: pulumi.Input<pulumi.Input<FleetStaticInstanceArgs>[]>;
  /** By name. Defaults to none. */
  dns?: FleetDnsDiscoveryArgs;
  /** By Service. Defaults to none. */
  kubernetes?: FleetKubernetesDiscoveryArgs;
  /** By label. Defaults to none. */
  docker?: FleetDockerDiscoveryArgs;
}
