import { issueText, validateAgainst } from "../../runtime/config/schema/index.ts";
import { defaults as shared } from "../defaults.ts";
import type { MCPServerFleetArgs } from "../fleet/args.ts";
import { containerProblems, portlessPath } from "../fleet/container-rules.ts";
import { externalProblems, isExternal } from "../fleet/external.ts";
import { unreadTargets } from "../fleet/scaling-rules.ts";
import type { MCPGatewayArgs } from "../gateway/args.ts";
import { containerFileProblems } from "../gateway/container-files.ts";
import { boundsProblems } from "../instance-bounds.ts";
import { knownPart } from "../known-part.ts";
import { Platform } from "../platform.ts";
import type { KubernetesPodArgs } from "./args.ts";
import { fleetBlocks, gatewayBlocks } from "./block-schema.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { secretNames } from "./secrets.ts";

/** Every mistake in a fleet's arguments for this platform: field, value, fix. */
export function fleetProblems(args: MCPServerFleetArgs): string[] {
  const { tags, container, scaling, kubernetes, type } = args;
  const blocks = knownPart({ tags, container, scaling, kubernetes });
  const problems = validateAgainst(fleetBlocks, blocks).map(issueText);
  if (problems.length > 0) return problems;
  if (isExternal(args)) return externalProblems(Platform.Kubernetes, args);
  const imageFix = "give an image in a registry that the cluster can reach";
  return [
    ...containerProblems({ type, container }, imageFix),
    ...portlessPath("healthPath", container),
    ...podProblems(kubernetes, true),
    ...autoscalerProblems(scaling, kubernetes),
    ...secretProblems(kubernetes, "container.secretEnv", container?.secretEnv),
  ];
}

/** The same of a gateway. */
export function gatewayProblems(name: string, args: MCPGatewayArgs): string[] {
  const { tags, container, scaling, secrets, kubernetes, auth, session } = args;
  const blocks = knownPart({ tags, container, scaling, secrets, kubernetes });
  const problems = validateAgainst(gatewayBlocks, blocks).map(issueText);
  if (problems.length > 0) return problems;
  if (!/^(?!mcp-)[a-z]([a-z0-9-]{0,48}[a-z0-9])?$/.test(name)) {
    const fix =
      "use lower case letters, digits and hyphens, at most 50 characters, beginning with a letter but not with mcp-, and not ending with a hyphen";
    problems.push(`the name "${name}" becomes that of a Service; ${fix}`);
  }
  if (container?.image === undefined) {
    problems.push("container.image is missing; give the image of mcp-fleet in a registry that the cluster can reach");
  }
  for (const key of ["host", "port"] as const) {
    if (args[key] !== undefined)
      problems.push(`${key} is given, but pods listen at ${defaults.gatewayPort}; remove it`);
  }
  const reference = `file:${shared.secretsFolder}/NAME`;
  if (auth === undefined) {
    problems.push(`auth is missing, and other pods reach the gateway; add auth.bearerTokens with token: ${reference}`);
  }
  if (session?.keys === undefined) {
    const fix = `add a secret of 32 bytes in base64, and session.keys with key: ${reference}`;
    problems.push(`session.keys is missing, and every replica must open what another one has sealed; ${fix}`);
  }
  const { serviceType, loadBalancerClass, ingress, httpRoute, network } = kubernetes ?? {};
  if (loadBalancerClass !== undefined && serviceType !== "LoadBalancer") {
    const fix = 'remove it, or set kubernetes.serviceType to "LoadBalancer"';
    problems.push(`kubernetes.loadBalancerClass is given, but the Service is no load balancer; ${fix}`);
  }
  const cidrs = network?.ingressCidrs?.length ?? 0;
  if (serviceType === "LoadBalancer" && cidrs === 0) {
    const fix = "list the addresses that may call, such as 203.0.113.0/24";
    problems.push(`kubernetes.serviceType is LoadBalancer without kubernetes.network.ingressCidrs; ${fix}`);
  }
  if (
    serviceType === "LoadBalancer" &&
    Array.isArray(args.allowedHosts ?? []) &&
    !(args.allowedHosts as unknown[])?.length
  ) {
    const fix = "give the host name or address that clients call; the first one is in the endpoint";
    problems.push(
      `allowedHosts is missing, and the gateway refuses a load balancer's name that it does not know; ${fix}`,
    );
  }
  if (ingress !== undefined && httpRoute !== undefined) {
    problems.push("kubernetes.httpRoute stands beside kubernetes.ingress; keep one of the two");
  }
  for (const [key, front] of Object.entries({ ingress, httpRoute })) {
    if (front === undefined) continue;
    if (args.tls !== undefined) {
      problems.push(`tls stands beside kubernetes.${key}, whose controller ends TLS; remove one of the two`);
    }
    if (front.host === undefined) problems.push(`kubernetes.${key}.host is missing; give the name that clients call`);
    if (cidrs > 0 || (network?.ingressNamespaces?.length ?? 0) > 0) continue;
    const fix = "name the namespace of the controller in kubernetes.network.ingressNamespaces";
    problems.push(`kubernetes.${key} is given, but nothing outside the namespace may call; ${fix}`);
  }
  if (httpRoute !== undefined && httpRoute.parentName === undefined) {
    problems.push("kubernetes.httpRoute.parentName is missing; name the Gateway that takes the calls in");
  }
  const { minInstances, maxInstances } = scaling ?? {};
  return [
    ...problems,
    ...boundsProblems(minInstances ?? defaults.gatewayMinInstances, maxInstances ?? defaults.gatewayMaxInstances),
    ...podProblems(kubernetes, false),
    ...secretProblems(kubernetes, "secrets", secrets),
    ...containerFileProblems(Platform.Kubernetes, args, secretNames(kubernetes, secrets)),
  ];
}

function autoscalerProblems(
  scaling: MCPServerFleetArgs["scaling"],
  kubernetes: MCPServerFleetArgs["kubernetes"],
): string[] {
  const { autoscaler = "hpa", keda } = kubernetes ?? {};
  const { minInstances = defaults.fleetMinInstances, maxInstances = defaults.fleetMaxInstances } = scaling ?? {};
  const problems = autoscaler === "none" ? [] : boundsProblems(minInstances, maxInstances);
  problems.push(...unreadSettings(autoscaler, scaling, kubernetes));
  if (minInstances === 0 && autoscaler === "hpa") {
    problems.push('scaling.minInstances is 0, which only KEDA can do; set kubernetes.autoscaler to "keda", or give 1');
  }
  if (autoscaler === "keda" && keda?.prometheusAddress === undefined) {
    const fix = "give the address of the Prometheus that scrapes the gateway";
    problems.push(`kubernetes.keda.prometheusAddress is missing; ${fix}`);
  }
  if (autoscaler !== "keda" && keda !== undefined) {
    problems.push(
      `kubernetes.keda is given, but kubernetes.autoscaler is "${autoscaler}"; set it to "keda" or remove keda`,
    );
  }
  return problems;
}

/** Mistakes in what pods of fleets and gateways have in common. */
function podProblems(block: KubernetesPodArgs | undefined, ofFleet: boolean): string[] {
  const { objectName, volumes = [] } = block ?? {};
  const problems: string[] = [];
  if (objectName !== undefined && objectName.startsWith("mcp-") !== ofFleet) {
    const rule = ofFleet ? "begin it with mcp-, as every fleet's" : "begin it otherwise than with mcp-, as fleets do";
    problems.push(`kubernetes.objectName is "${objectName}"; ${rule}`);
  }
  for (const [index, volume] of volumes.entries()) {
    const at = `kubernetes.volumes[${index}]`;
    for (const key of ["name", "mountPath"] as const) {
      if (volume[key] === undefined) problems.push(`${at}.${key} is missing; add it`);
    }
    const sources = [volume.configMap, volume.secret, volume.persistentVolumeClaim, volume.emptyDirMiB];
    if (sources.filter((source) => source !== undefined).length !== 1) {
      problems.push(`${at} needs one source; give one of configMap, secret, persistentVolumeClaim, emptyDirMiB`);
    }
  }
  return problems;
}

/** Settings of scaling that this autoscaler does not read. */
function unreadSettings(
  autoscaler: string,
  scaling: MCPServerFleetArgs["scaling"],
  kubernetes: MCPServerFleetArgs["kubernetes"],
): string[] {
  const chosen = `kubernetes.autoscaler is "${autoscaler}"`;
  if (autoscaler === "hpa") {
    const fix = 'remove it, or set kubernetes.autoscaler to "keda"';
    return unreadTargets(scaling, ["targetInFlight"], `${chosen}, which goes by processor and memory`, fix);
  }
  if (autoscaler === "keda") {
    const fix = 'remove it, or set kubernetes.autoscaler to "hpa"';
    const targets = ["targetCpuPercent", "targetMemoryPercent"] as const;
    return unreadTargets(scaling, targets, `${chosen}, which goes by calls in flight`, fix);
  }
  const problems = unreadTargets(scaling, ["targetInFlight", "targetCpuPercent", "targetMemoryPercent"], chosen);
  if (kubernetes?.scaleDownAfterSeconds !== undefined) {
    problems.push(`kubernetes.scaleDownAfterSeconds is given, but ${chosen}; remove it`);
  }
  const { minInstances = defaults.fleetMinInstances, maxInstances } = scaling ?? {};
  const known = typeof minInstances === "number" && typeof maxInstances === "number";
  if (known && maxInstances !== minInstances) {
    const fix = "give scaling.minInstances alone, which is the number of replicas";
    problems.push(
      `scaling.maxInstances (${maxInstances}) is not minInstances (${minInstances}), but ${chosen}; ${fix}`,
    );
  }
  return problems;
}

function secretProblems(block: KubernetesPodArgs | undefined, field: string, given: object | undefined): string[] {
  const { existingSecret, externalSecret } = block ?? {};
  const problems: string[] = [];
  const sources = Object.entries({
    [field]: given,
    "kubernetes.existingSecret": existingSecret,
    "kubernetes.externalSecret": externalSecret,
  }).filter(([, value]) => value !== undefined);
  if (sources.length > 1) {
    const names = sources.map(([key]) => key).join(", ");
    problems.push(`${names} stand beside each other; keep one place that secrets come from`);
  }
  const needed = { existingSecret: ["name", "keys"], externalSecret: ["store", "keys"] };
  for (const [place, keys] of Object.entries(needed)) {
    const value = block?.[place as keyof typeof needed] as Readonly<Record<string, unknown>> | undefined;
    for (const key of value === undefined ? [] : keys) {
      if (value?.[key] === undefined) problems.push(`kubernetes.${place}.${key} is missing; add it`);
    }
  }
  return problems;
}
