export { ClusterNode, type ClusterNodeOptions } from "./cluster-node.ts";
export { ClusterCoordinator, type CoordinatorOptions } from "./coordinator.ts";
export type { ClusterMember, NodeReport, ReportedServer } from "./node-report.ts";
