/** Can processes that do not descend from each other listen at one port? */
export const canSharePort = process.platform === "linux";

/** Options of `listen` for a port at which other processes of the gateway listen too (SO_REUSEPORT, socket(7)). */
export const sharing = (shared: boolean): { readonly reusePort?: true; readonly exclusive?: true } =>
  shared && canSharePort ? { reusePort: true, exclusive: true } : {};
