/** The gateway that a stack on Kubernetes watches, as its `metricsTarget` names it. */
export interface WatchedService {
  readonly scheme: "http" | "https";
  /** Host name of the target, by which a certificate knows it. */
  readonly host: string;
  /** Name of the Service, which is the gateway's; undefined for a target that is none of the cluster's. */
  readonly name: string | undefined;
  /** Namespace of the Service; undefined likewise. */
  readonly namespace: string | undefined;
}

const service = /^([a-z0-9-]+)\.([a-z0-9-]+)(\.svc(\.[a-z0-9.-]+)?)?$/;

/** Reads a target such as `http://gateway.tools:8080/metrics`. */
export function watchedService(metricsTarget: string): WatchedService {
  const { protocol, hostname } = new URL(metricsTarget);
  const [, name, namespace] = service.exec(hostname) ?? [];
  return { scheme: protocol === "https:" ? "https" : "http", host: hostname, name, namespace };
}
