import * as pulumi from "@pulumi/pulumi";

type Values = Record<string, pulumi.Input<string>>;

/** A component's arguments as they go into the state: its secrets are encrypted there, even those given as plain texts. */
export function hiddenSecrets<Args extends object>(args: Args): Args {
  const { secrets, container } = args as { secrets?: Values; container?: { secretEnv?: Values } };
  const secretEnv = container?.secretEnv;
  return {
    ...args,
    ...(secrets === undefined ? {} : { secrets: hide(secrets) }),
    ...(secretEnv === undefined ? {} : { container: { ...container, secretEnv: hide(secretEnv) } }),
  };
}

function hide(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]));
}
