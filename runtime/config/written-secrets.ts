import type { Server } from "./schema/index.ts";
import { secretsIn } from "./secret-values.ts";

const secretName = /KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH/i;

/** Does a name of a variable, an option or a parameter say that its value is a secret? */
export const namesSecret = (name: string): boolean => secretName.test(name);

/**
 * Values of servers that are secrets by their place, though they stand there in plain text, as deployments write them:
 * variables and options that are called so, and what keys in addresses consist of.
 */
export function writtenSecrets(servers: Readonly<Record<string, Server>>): readonly string[] {
  return Object.values(servers).flatMap(({ process, endpoints = [], discovery }) => {
    const variables = Object.entries(process?.env ?? {}).filter(([name]) => namesSecret(name));
    const addresses = [...endpoints, ...(discovery?.static ?? []).map(({ url }) => url)];
    const values = [...variables.map(([, value]) => value), ...optionValues(process?.args ?? []), ...addresses];
    return values.flatMap(secretsIn);
  });
}

/** `--api-key VALUE`, `--api-key=VALUE`. */
function optionValues(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    const [, name = "", value] = /^--?([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (!namesSecret(name)) return [];
    const given = value ?? args[index + 1];
    return given === undefined || (value === undefined && given.startsWith("-")) ? [] : [given];
  });
}
