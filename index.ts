export type {
  AwsDnsArgs,
  AwsEnvironmentArgs,
  AwsTaskArgs,
  FleetAwsArgs,
  GatewayAwsArgs,
  GatewayDeploymentArgs,
} from "./components/aws/args.ts";
export type { DockerBuildArgs, FleetDockerArgs, GatewayDockerArgs } from "./components/docker/args.ts";
export type {
  FleetProcessArgs,
  FleetScalingArgs,
  FleetTimeoutsArgs,
  FleetToolsArgs,
  MCPServerFleetArgs,
} from "./components/fleet/args.ts";
export type { FleetContainerArgs } from "./components/fleet/container-args.ts";
export type {
  FleetCallerCredentialsArgs,
  FleetCredentialsArgs,
  FleetHeaderCredentialsArgs,
  FleetOAuthCredentialsArgs,
} from "./components/fleet/credentials-args.ts";
export type {
  FleetDiscoveryArgs,
  FleetDnsDiscoveryArgs,
  FleetDockerDiscoveryArgs,
  FleetKubernetesDiscoveryArgs,
  FleetStaticInstanceArgs,
} from "./components/fleet/discovery-args.ts";
export { MCPServerFleet } from "./components/fleet/mcp-server-fleet.ts";
export type {
  FleetBatchingArgs,
  FleetCacheArgs,
  FleetCoalescingArgs,
  FleetMinimumPercentArgs,
  FleetPoolArgs,
  FleetQueueArgs,
} from "./components/fleet/performance-args.ts";
export type {
  FleetCircuitBreakerArgs,
  FleetConcurrencyArgs,
  FleetHealthCheckArgs,
  FleetLoadBalancerArgs,
  FleetOutlierArgs,
  FleetRetryArgs,
} from "./components/fleet/resilience-args.ts";
export type { FleetIntegrityArgs, FleetRateLimitingArgs } from "./components/fleet/security-args.ts";
export type {
  GatewayFleetArgs,
  GatewayLogArgs,
  GatewayMetricsLogArgs,
  GatewayProcessArgs,
  GatewaySessionArgs,
  GatewaySessionKeyArgs,
  GatewaySharedArgs,
  MCPGatewayArgs,
} from "./components/gateway/args.ts";
export type {
  GatewayApiKeyArgs,
  GatewayAuthArgs,
  GatewayClientCertificateArgs,
  GatewayInterfacesArgs,
  GatewayIntrospectionArgs,
  GatewayJwtArgs,
  GatewayOAuthArgs,
  GatewayPasswordArgs,
  GatewayTokenArgs,
} from "./components/gateway/auth-args.ts";
export type { GatewayContainerArgs, GatewayScalingArgs } from "./components/gateway/container-args.ts";
export { MCPGateway } from "./components/gateway/mcp-gateway.ts";
export type {
  GatewayAnnotationsArgs,
  GatewayAuditArgs,
  GatewayAuthorizationArgs,
  GatewayConnectionsArgs,
  GatewayCorsArgs,
  GatewayRateLimitingArgs,
  GatewayRuleArgs,
  GatewayTlsArgs,
} from "./components/gateway/security-args.ts";
export { InputError } from "./components/input-error.ts";
export type {
  FleetKubernetesArgs,
  KubernetesExistingSecretArgs,
  KubernetesExternalSecretArgs,
  KubernetesKedaArgs,
  KubernetesNetworkArgs,
  KubernetesPodArgs,
  KubernetesTolerationArgs,
} from "./components/kubernetes/args.ts";
export { Autoscaler } from "./components/kubernetes/args.ts";
export type {
  GatewayHttpRouteArgs,
  GatewayIngressArgs,
  GatewayKubernetesArgs,
} from "./components/kubernetes/gateway-args.ts";
export type {
  AlertRuleArgs,
  EmailSenderArgs,
  MonitoredGatewayArgs,
  MonitoringAwsArgs,
  MonitoringKubernetesArgs,
  MonitoringProcessArgs,
  MonitoringStackArgs,
  NotificationArgs,
  SendersArgs,
  SloArgs,
  ThresholdsArgs,
} from "./components/monitoring/args.ts";
export { Condition, Severity } from "./components/monitoring/args.ts";
export { MonitoringStack } from "./components/monitoring/monitoring-stack.ts";
export type { MCPNetworkArgs } from "./components/network/args.ts";
export { MCPNetwork } from "./components/network/mcp-network.ts";
export { Platform } from "./components/platform.ts";
export type { RateLimitArgs, RequirementArgs } from "./components/security-args.ts";
