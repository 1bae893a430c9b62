import type { AddressInfo, Server } from "node:net";

/** Can processes that do not descend from each other listen at one port? */
export const canSharePort = process.platform === "linux";

/** Where a server listens. */
export interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Other processes of the gateway listen there too (SO_REUSEPORT, socket(7)), where the system has that. */
  readonly shared: boolean;
}

/** Resolves with the port. Rejects with what `refusal` makes of the reason. */
export function listenAt(
  server: Server,
  { host, port, shared }: Address,
  refusal: (error: NodeJS.ErrnoException) => Error,
): Promise<number> {
  const how = shared && canSharePort ? { reusePort: true, exclusive: true } : {};
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(refusal(error)));
    server.listen({ port, host, ...how }, () => resolve((server.address() as AddressInfo).port));
  });
}
