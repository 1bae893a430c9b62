import Type from "typebox";
import { closed, machineFleetParts, machineGatewayParts, open, secretName, text } from "../block-parts.ts";

const hostPath = Type.String({ pattern: "^/" });
const block = {
  build: open(Type.Object({ context: open(text), base: open(text), presets: open(Type.String()) }, closed)),
  secretFiles: open(Type.Record(secretName, hostPath, closed)),
  runtime: open(text),
  logMaxMiB: open(Type.Integer({ minimum: 1 })),
  logMaxFiles: open(Type.Integer({ minimum: 1, maximum: 1000 })),
};

/** What a fleet's own arguments for containers may say on Docker, as far as it is known at once. */
export const fleetBlocks = Type.Object(
  { ...machineFleetParts, docker: open(Type.Object({ ...block, egress: open(Type.Boolean()) }, closed)) },
  closed,
);

/** The same of a gateway. */
export const gatewayBlocks = Type.Object(
  {
    ...machineGatewayParts,
    docker: open(
      Type.Object(
        { ...block, front: open(Type.Boolean()), sharedCache: open(Type.Boolean()), sharedCacheImage: open(text) },
        closed,
      ),
    ),
  },
  closed,
);
