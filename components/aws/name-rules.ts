import * as pulumi from "@pulumi/pulumi";

/**
 * The longest name of a gateway. A load balancer and a target group have at most 32 characters. Pulumi's provider appends a hyphen
 * and seven hexadecimal digits to `<name>-lb`, `<name>-tg` and `<name>-tg2`, and cuts nothing.
 */
const longestGatewayName = 20;

/** The longest name of a serverless cache, to which the provider appends nothing. */
const longestCacheName = 40;

/** What is wrong with the name of a fleet for AWS: value, rule, fix. */
export function fleetNameProblems(name: string): string[] {
  if (!name.startsWith("sg-")) return [];
  return [
    `the name "${name}" becomes that of a security group, which cannot begin with "sg-"; give one that begins otherwise`,
  ];
}

/** The same of a gateway, whose load balancer has rules of its own. */
export function gatewayNameProblems(name: string): string[] {
  const problems = fleetNameProblems(name);
  if (!/^[a-z][a-z0-9-]*$/.test(name) || name.length > longestGatewayName) {
    const fix = `use lower case letters, digits and hyphens, at most ${longestGatewayName} characters, beginning with a letter`;
    problems.push(`the name "${name}" becomes that of a load balancer; ${fix}`);
  }
  if (/^internal(-|$)/.test(name)) {
    const fix = "give one that begins otherwise (aws.public says who reaches the gateway)";
    problems.push(`the name "${name}" becomes that of a load balancer, which cannot begin with "internal-"; ${fix}`);
  }
  return problems;
}

/** What is wrong with a name to which a role adds its noun: a role has 64 characters, eight of which the provider appends. */
export function roleNameProblems(name: string, noun: string): string[] {
  const longest = 64 - `-${noun}-1234567`.length;
  if (name.length <= longest) return [];
  return [`the name "${name}" becomes part of a role's; give one of at most ${longest} characters`];
}

/** What is wrong with names that are made of project, stack and component: of a task definition, and of a cache where there is one. */
export function stackNameProblems(name: string, hasCache: boolean): string[] {
  const made = stackName(name);
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(made)) {
    const fix = "use letters, digits, hyphens and underscores in the names of project and stack";
    return [`the task definition would be called "${made}", which ECS refuses; ${fix}`];
  }
  if (!hasCache) return [];
  if (!/^[a-z](-?[a-z0-9])*$/.test(made)) {
    const fix = "use lower case letters, digits and single hyphens in the names of project, stack and gateway";
    return [`the cache of aws.sharedCache would be called "${made}", which ElastiCache refuses; ${fix}`];
  }
  if (made.length <= longestCacheName) return [];
  const fix = `shorten the names of project, stack and gateway until it has ${longestCacheName}`;
  return [`the cache of aws.sharedCache would be called "${made}", which has ${made.length} characters; ${fix}`];
}

/** The name of a task definition or a cache, which is unique in an account without digits of the provider's. */
export const stackName = (name: string): string => `${pulumi.getProject()}-${pulumi.getStack()}-${name}`;
