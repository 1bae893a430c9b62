import { InputError } from "./input-error.ts";

/** Where a fleet and its gateway run. */
export const Platform = {
  /** Processes of this machine, looked after by the gateway's own daemon. */
  Process: "process",
  /** Hardened units of this machine's service manager. */
  Systemd: "systemd",
  /** Containers of a Docker host on a private network. */
  Docker: "docker",
  /** Workloads of a Kubernetes cluster. */
  Kubernetes: "kubernetes",
  /** ECS services on Fargate behind a load balancer. */
  Aws: "aws",
} as const;
export type Platform = (typeof Platform)[keyof typeof Platform];

/** Platforms that give each instance bounds and secrets of its own: in containers, or as services of systemd. */
const boundedPlatforms: readonly string[] = [Platform.Systemd, Platform.Docker, Platform.Kubernetes, Platform.Aws];

/** The platform that an argument names. Throws InputError for one that does not exist. */
export function platformOf(component: string, platform: string): Platform {
  const known = Object.values(Platform);
  if ((known as string[]).includes(platform)) return platform as Platform;
  throw new InputError(component, [
    `platform "${platform}" is not one of ${known.join(", ")}; set platform to one of these`,
  ]);
}

/**
 * Refuses what belongs to another platform: each platform's block on any other one, and what belongs to containers
 * and services where the gateway itself runs the servers. Throws InputError.
 */
export function refuseForeignBlocks(component: string, platform: Platform, args: object): void {
  const given = args as Readonly<Record<string, unknown>>;
  const problems = Object.values(Platform)
    .filter((block) => block !== platform && given[block] !== undefined)
    .map((block) => `${block} is given, but platform is "${platform}"; remove ${block}, or set platform to ${block}`);
  for (const block of ["container", "secrets"]) {
    if (given[block] === undefined || boundedPlatforms.includes(platform)) continue;
    const fix = `remove ${block}, or set platform to one of ${boundedPlatforms.join(", ")}`;
    problems.push(
      `${block} is given, but platform is "${platform}", where the gateway itself runs the servers; ${fix}`,
    );
  }
  if (problems.length > 0) throw new InputError(component, problems);
}
