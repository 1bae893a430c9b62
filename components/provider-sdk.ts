import { createRequire } from "node:module";
import { InputError } from "./input-error.ts";
import type { Platform } from "./platform.ts";

const require = createRequire(import.meta.url);

/**
 * The SDK of a provider, loaded when a component first needs it: programs for one platform need not have, nor wait for,
 * the others' (optional peers of this package). Loaded by `require`, because a constructor cannot wait. Throws
 * InputError when it is not installed.
 */
export function providerSdk<Sdk>(component: string, platform: Platform, name: string): Sdk {
  try {
    return require(name) as Sdk;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "MODULE_NOT_FOUND" || !message.includes(`'${name}'`)) throw error;
    throw new InputError(component, [
      `platform "${platform}" needs the package ${name}, which is not installed; run npm install ${name}`,
    ]);
  }
}
