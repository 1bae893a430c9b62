import Type from "typebox";
import { closed, labels, open, port, secretName, secrets, targetInFlight, text, variables } from "../block-parts.ts";

const hostPath = Type.String({ pattern: "^/" });
const cpu = open(Type.Integer({ minimum: 10, maximum: 256_000 }));
const memory = open(Type.Integer({ minimum: 32, maximum: 1_048_576 }));
const instances = open(Type.Integer({ minimum: 1, maximum: 100 }));
const block = {
  build: open(Type.Object({ context: open(text), base: open(text), presets: open(Type.String()) }, closed)),
  secretFiles: open(Type.Record(secretName, hostPath, closed)),
  runtime: open(text),
  logMaxMiB: open(Type.Integer({ minimum: 1 })),
  logMaxFiles: open(Type.Integer({ minimum: 1, maximum: 1000 })),
};

/** What a fleet's own arguments for containers may say on Docker, as far as it is known at once. */
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
      Type.Object(
        {
          minInstances: instances,
          maxInstances: instances,
          targetInFlight: open(targetInFlight),
        },
        closed,
      ),
    ),
    docker: open(Type.Object({ ...block, egress: open(Type.Boolean()) }, closed)),
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
    docker: open(Type.Object({ ...block, sharedCache: open(Type.Boolean()), sharedCacheImage: open(text) }, closed)),
  },
  closed,
);
