export { ClusterNode, type ClusterNodeOptions } from "./cluster-node.ts";
export { clusterToken, type TokenSource } from "./cluster-token.ts";
export { ClusterCoordinator, type CoordinatorOptions } from "./coordinator.ts";
export { NodeCalls, type NodeCallsOptions } from "./node-calls.ts";
export { NodeKeys } from "./node-keys.ts";
export { type ClusterMember, maxServers, type NodeReport, type ReportedServer } from "./node-report.ts";
export { wrongNodeUrl } from "./node-url.ts";
