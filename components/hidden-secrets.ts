import * as pulumi from "@pulumi/pulumi";
import { isLater } from "./holds-outputs.ts";

type Values = Record<string, pulumi.Input<string>>;

/** A component's arguments as they go into the state: its secrets are encrypted there, even those given as plain texts. */
export function hiddenSecrets<Args extends object>(args: Args): Args {
  const { secrets, container } = args as { secrets?: Values; container?: { secretEnv?: Values } };
  // A whole container that is known only later is refused when the arguments are resolved.
  const secretEnv = isLater(container) ? undefined : container?.secretEnv;
  return {
    ...args,
    ...(secrets === undefined ? {} : { secrets: hide(secrets) }),
    ...(secretEnv === undefined ? {} : { container: { ...container, secretEnv: hide(secretEnv) } }),
  };
}

function hide(values: Values): Values {
  if (isLater(values)) return pulumi.secret(values) as unknown as Values;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]));
}
