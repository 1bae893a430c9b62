import Type from "typebox";
import { closed, machineFleetParts, machineGatewayParts, open, secretName } from "../block-parts.ts";

const hostPath = Type.String({ pattern: "^/[^:\\r\\n]*$" });
const block = {
  unitDirectory: open(hostPath),
  program: open(hostPath),
  secretFiles: open(Type.Record(secretName, hostPath, closed)),
};

/** What a fleet's own arguments may say on systemd, as far as it is known at once. */
export const fleetBlocks = Type.Object(
  { ...machineFleetParts, systemd: open(Type.Object({ ...block, egress: open(Type.Boolean()) }, closed)) },
  closed,
);

/** The same of a gateway. */
export const gatewayBlocks = Type.Object({ ...machineGatewayParts, systemd: open(Type.Object(block, closed)) }, closed);
