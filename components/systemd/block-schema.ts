import Type from "typebox";
import { closed, labels, open, port, secretName, secrets, targetInFlight, text, variables } from "../block-parts.ts";

const hostPath = Type.String({ pattern: "^/[^:\\r\\n]*$" });
const cpu = open(Type.Integer({ minimum: 10, maximum: 256_000 }));
const memory = open(Type.Integer({ minimum: 32, maximum: 1_048_576 }));
const instances = open(Type.Integer({ minimum: 1, maximum: 100 }));
const block = {
  unitDirectory: open(hostPath),
  program: open(hostPath),
  secretFiles: open(Type.Record(secretName, hostPath, closed)),
};

/** What a fleet's own arguments may say on systemd, as far as it is known at once. */
export const fleetBlocks = Type.Object(
  {
    tags: open(labels),
    container: open(
      Type.Object(
        {
          ...{ image: open(text), command: open(text), args: open(Type.Array(Type.String())), env: open(variables) },
          ...{ secretEnv: open(variables), port: open(port), path: open(Type.String({ pattern: "^/" })) },
          ...{ healthPath: open(Type.String()), maxProcesses: instances, cpuMillicores: cpu, memoryMiB: memory },
        },
        closed,
      ),
    ),
    scaling: open(
      Type.Object({ minInstances: instances, maxInstances: instances, targetInFlight: open(targetInFlight) }, closed),
    ),
    systemd: open(Type.Object({ ...block, egress: open(Type.Boolean()) }, closed)),
  },
  closed,
);

/** The same of a gateway. */
export const gatewayBlocks = Type.Object(
  {
    tags: open(labels),
    container: open(Type.Object({ image: open(text), cpuMillicores: cpu, memoryMiB: memory }, closed)),
    port: open(port),
    secrets: open(secrets),
    systemd: open(Type.Object(block, closed)),
  },
  closed,
);
