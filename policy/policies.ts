import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import type { AwsEnvironmentArgs } from "../components/aws/args.ts";
import * as aws from "../components/aws/rules.ts";
import * as docker from "../components/docker/rules.ts";
import type { MCPServerFleetArgs } from "../components/fleet/args.ts";
import type { MCPGatewayArgs } from "../components/gateway/args.ts";
import * as kubernetes from "../components/kubernetes/rules.ts";
import { Platform } from "../components/platform.ts";
import * as systemd from "../components/systemd/rules.ts";
import { podProblems } from "./restricted-pod.ts";
import { taskProblems } from "./restricted-task.ts";

const part = "app.kubernetes.io/part-of";

/** A Kubernetes object, as far as the policies look at it. */
interface KubernetesObject {
  readonly metadata?: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly template?: { readonly spec?: Parameters<typeof podProblems>[0] };
    readonly type?: string;
    readonly loadBalancerSourceRanges?: readonly string[];
    readonly scaleTargetRef?: { readonly name?: string };
  };
}

/** Is this an object of mcp-fleet, and not some other one of the same program? */
const isOurs = ({ metadata }: KubernetesObject): boolean => metadata?.labels?.[part] === "mcp-fleet";

/** A resource of AWS, likewise. */
interface AwsResource {
  readonly tags?: Readonly<Record<string, string>>;
  readonly cidrIpv4?: string;
  readonly cidrIpv6?: string;
  readonly containerDefinitions?: string;
}

/** The same question of a resource of AWS. */
const isOursOnAws = ({ tags }: AwsResource): boolean => tags?.["mcp-fleet:component"] !== undefined;

/** Arguments in which a network that is a component has all its parts: policies know only its URN. */
function withNetwork<Args extends { aws?: { environment: AwsEnvironmentArgs } }>(args: Args): Args {
  const urn: unknown = args.aws?.environment;
  if (typeof urn !== "string") return args;
  const subnets = [urn, urn];
  const environment: AwsEnvironmentArgs = {
    ...{ vpcId: urn, privateSubnetIds: subnets, publicSubnetIds: subnets, clusterArn: urn, clusterName: urn },
    ...{ namespaceId: urn, namespaceName: urn, gatewaySecurityGroupId: urn },
  };
  return { ...args, aws: { ...args.aws, environment } };
}

/** What is wrong with a component's arguments, by the components' own rules; nothing is known of other resources. */
function argumentProblems(type: string, name: string, props: Readonly<Record<string, unknown>>): string[] {
  const { platform } = props;
  if (type === "mcp-fleet:index:MCPServerFleet") {
    const args = props as unknown as MCPServerFleetArgs;
    if (platform === Platform.Kubernetes) return kubernetes.fleetProblems(args);
    if (platform === Platform.Docker) return docker.fleetProblems(args);
    if (platform === Platform.Systemd) return systemd.fleetProblems(args);
    if (platform === Platform.Aws) return aws.fleetProblems(name, withNetwork(args));
  }
  if (type === "mcp-fleet:index:MCPGateway") {
    const args = props as unknown as MCPGatewayArgs;
    if (platform === Platform.Kubernetes) return kubernetes.gatewayProblems(name, args);
    if (platform === Platform.Docker) return docker.gatewayProblems(args);
    if (platform === Platform.Systemd) return systemd.gatewayProblems(name, args);
    if (platform === Platform.Aws) return aws.gatewayProblems(name, withNetwork(args));
  }
  return [];
}

/** The arguments of fleets and gateways: also of those that another language, or a transform, has made. */
export const rightArguments: ResourceValidationPolicy = {
  name: "right-arguments",
  description: "Fleets and gateways have arguments that their platform can deploy.",
  enforcementLevel: "mandatory",
  validateResource: ({ type, name, props }, report) => {
    for (const problem of argumentProblems(type, name, props)) report(problem);
  },
};

/** Pods as the restricted Pod Security Standard wants them, whatever a transform has made of them. */
export const restrictedPods: ResourceValidationPolicy = {
  name: "restricted-pods",
  description: "Pods of fleets and gateways keep to the restricted Pod Security Standard.",
  enforcementLevel: "mandatory",
  validateResource: ({ type, props }, report) => {
    if (type !== "kubernetes:apps/v1:Deployment" || !isOurs(props)) return;
    const pod = (props as KubernetesObject).spec?.template?.spec;
    if (pod === undefined) return;
    for (const problem of podProblems(pod)) report(problem);
  },
};

/** The same of tasks on AWS. */
export const restrictedTasks: ResourceValidationPolicy = {
  name: "restricted-tasks",
  description:
    "Tasks of fleets and gateways run without root, capabilities and a root file system that they can write.",
  enforcementLevel: "mandatory",
  validateResource: ({ type, props }, report) => {
    // Nothing else is looked at: what is not known at a preview cannot be read, not even to be copied.
    if (type !== "aws:ecs/taskDefinition:TaskDefinition" || !isOursOnAws(props)) return;
    const { containerDefinitions } = props as AwsResource;
    if (containerDefinitions === undefined) return;
    for (const problem of taskProblems(containerDefinitions)) report(problem);
  },
};

/** Nothing is open to every address of the internet. */
export const knownCallers: ResourceValidationPolicy = {
  name: "known-callers",
  description: "A load balancer in front of a gateway is open to listed addresses only.",
  enforcementLevel: "mandatory",
  validateResource: ({ type, props }, report) => {
    const resource = props as AwsResource;
    if (type === "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule" && isOursOnAws(resource)) {
      const open = [resource.cidrIpv4, resource.cidrIpv6].some((cidr) => /\/0$/.test(cidr ?? ""));
      if (open) report(`the rule is open to every address; list the addresses that may call in aws.ingressCidrs`);
      return;
    }
    const object = props as KubernetesObject;
    const { type: kind, loadBalancerSourceRanges: ranges = [] } = object.spec ?? {};
    if (type !== "kubernetes:core/v1:Service" || !isOurs(object) || kind !== "LoadBalancer") return;
    if (ranges.length > 0 && !ranges.some((range) => /\/0$/.test(range))) return;
    report(
      "the load balancer is open to every address; list the addresses that may call in kubernetes.network.ingressCidrs",
    );
  },
};

/** Two autoscalers of one Deployment would undo each other's work. */
export const oneAutoscaler: StackValidationPolicy = {
  name: "one-autoscaler",
  description: "A Deployment is scaled by a HorizontalPodAutoscaler or by a ScaledObject, never by both.",
  enforcementLevel: "mandatory",
  validateStack: ({ resources }, report) => {
    const seen = new Map<string, string>();
    for (const { type, name, props } of resources) {
      if (!/:(HorizontalPodAutoscaler|ScaledObject)$/.test(type)) continue;
      const { metadata, spec } = props as KubernetesObject;
      const target = `${metadata?.namespace ?? "default"}/${spec?.scaleTargetRef?.name}`;
      const other = seen.get(target);
      if (other !== undefined) report(`${name} and ${other} both scale ${target}; keep one of the two`);
      seen.set(target, name);
    }
  },
};

/** All policies of the pack. */
export const policies = [rightArguments, restrictedPods, restrictedTasks, knownCallers, oneAutoscaler];
