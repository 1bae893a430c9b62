import * as pulumi from "@pulumi/pulumi";
import type { MCPServerFleetArgs } from "./fleet/args.ts";

/**
 * Warns, at preview too, of secret outputs where a platform shows texts to everybody who can look at its objects: a
 * container's arguments and plain environment.
 */
export function warnOfVisibleSecrets(
  component: string,
  { container }: Pick<MCPServerFleetArgs, "container">,
  resource: pulumi.Resource,
): void {
  const { args, env = {} } = container ?? {};
  const words = Array.isArray(args)
    ? args.map((word, index) => [`args[${index}]`, word] as const)
    : [["args", args] as const];
  const variables = Object.entries(env).map(([name, value]) => [`env.${name}`, value] as const);
  for (const [field, value] of [...words, ...variables]) {
    if (!pulumi.Output.isInstance(value)) continue;
    void pulumi.isSecret(value as pulumi.Output<unknown>).then((secret) => {
      if (!secret) return;
      const fix = "give it as container.secretEnv";
      void pulumi.log.warn(
        `${component}: container.${field} is a secret, but stands in plain text in the platform's objects; ${fix}`,
        resource,
      );
    });
  }
}
