import * as pulumi from "@pulumi/pulumi";

/** Namespace of CloudWatch in which the metrics of fleets are, and under which those of gateways are. */
export const metricNamespace = "mcp-fleet";

/** Namespace of a gateway's own metrics, by the name that its clients call. */
export const gatewayNamespace = (host: string): string => `${metricNamespace}/${host}`;

/** A metric of CloudWatch. */
export interface InFlightMetric {
  readonly namespace: string;
  readonly name: string;
}

/** The metric of a fleet's calls in flight, made of the lines that its server hosts write. */
export const inFlightMetric = (name: string): InFlightMetric => ({
  namespace: metricNamespace,
  name: `${pulumi.getProject()}-${pulumi.getStack()}-${name}-in-flight`,
});
