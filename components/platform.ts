import { InputError } from "./input-error.ts";

/** Where a fleet and its gateway run. */
export const Platform = {
  /** Processes of this machine, looked after by the gateway's own daemon. */
  Process: "process",
} as const;
export type Platform = (typeof Platform)[keyof typeof Platform];

/** The platform that an argument names. Throws InputError for one that does not exist. */
export function platformOf(component: string, platform: string): Platform {
  const known = Object.values(Platform);
  if ((known as string[]).includes(platform)) return platform as Platform;
  throw new InputError(component, [
    `platform "${platform}" is not one of ${known.join(", ")}; set platform to one of these`,
  ]);
}
