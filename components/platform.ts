/** Where a fleet and its gateway run. */
export const Platform = {
  /** Processes of this machine, looked after by the gateway's own daemon. */
  Process: "process",
} as const;
export type Platform = (typeof Platform)[keyof typeof Platform];
