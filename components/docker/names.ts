/** What a stack's objects on a Docker host are called, where all stacks share one set of names. */
export interface DockerNames {
  /** The network on which a fleet meets its gateway, and nothing else. */
  fleetNetwork(fleet: string): string;
  /** The network through which a fleet reaches other machines. */
  egressNetwork(fleet: string): string;
  /** The network at which a gateway's port is published. */
  gatewayNetwork(gateway: string): string;
  /** The network on which the keeper of a gateway's port meets the gateway, and nothing else. */
  frontNetwork(gateway: string): string;
  /** The network on which a gateway meets its limits and shared cache, and nothing else. */
  cacheNetwork(gateway: string): string;
  /** The network on which Prometheus, Alertmanager and Grafana meet. */
  monitoringNetwork(stack: string): string;
}

/** `scope` is the project's and the stack's name. */
export function dockerNames(scope: string): DockerNames {
  return {
    fleetNetwork: (fleet) => `${scope}-fleet-${fleet}`,
    egressNetwork: (fleet) => `${scope}-egress-${fleet}`,
    gatewayNetwork: (gateway) => `${scope}-gateway-${gateway}`,
    frontNetwork: (gateway) => `${scope}-front-${gateway}`,
    cacheNetwork: (gateway) => `${scope}-cache-${gateway}`,
    monitoringNetwork: (stack) => `${scope}-monitoring-${stack}`,
  };
}

/** The name by which a gateway finds the instance of this number, from 1. */
export const instanceAlias = (fleet: string, number: number): string => `${fleet}-${number}`;

/** The name by which a gateway finds all instances of a fleet, also those that are about to go. */
export const fleetAlias = (fleet: string): string => `${fleet}-instances`;

/** The name by which the keeper of a gateway's port finds the gateway: two of them while one takes over from the other. */
export const frontAlias = (gateway: string): string => `${gateway}-behind`;

/** The name by which a gateway finds the counts of its limits. */
export const limitsAlias = (gateway: string): string => `${gateway}-limits`;

/** The name by which a gateway finds its shared cache. */
export const cacheAlias = (gateway: string): string => `${gateway}-cache`;
