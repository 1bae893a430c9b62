/** Which series of a Prometheus belong to one stack: a Prometheus often scrapes several environments. */
export interface Scope {
  /** Label matchers that every series of the gateway meets. */
  readonly only: string;
  /** Those of the scraped target itself, with equality alone: `absent()` takes its labels from them. */
  readonly target: string;
  /** Label matchers of the stack's HorizontalPodAutoscalers, as kube-state-metrics names them. */
  readonly autoscalers: string;
  /** Labels by which the recorded series are told apart again. */
  readonly recorded: Readonly<Record<string, string>>;
  /** Labels of each alert, besides its own. */
  readonly alerts: Readonly<Record<string, string>>;
}

/** The series of a job, in a Prometheus that scrapes no other stack under that name. */
export function jobScope(job: string): Scope {
  const only = `job="${job}"`;
  return { only, target: only, autoscalers: "", recorded: { job }, alerts: {} };
}

/**
 * The series of one gateway in a namespace. Two gateways in one namespace differ by their job. Relabelling can take that
 * label away, so series without one count too. The autoscalers are those of the namespace's fleets and of the gateway
 * with that name: kube-state-metrics exports no labels of objects unless it is told to. The operator routes an alert to an
 * AlertmanagerConfig by its namespace, which sums over servers lack.
 */
export function namespaceScope(namespace: string, job: string, gateway: string | undefined): Scope {
  const names = ["(keda-hpa-)?mcp-.+", ...(gateway === undefined ? [] : [gateway])];
  return {
    only: `namespace="${namespace}",job=~"${job}|"`,
    target: `namespace="${namespace}",job="${job}"`,
    autoscalers: `namespace="${namespace}",horizontalpodautoscaler=~"${names.join("|")}"`,
    recorded: { namespace, job },
    alerts: { namespace },
  };
}
