import Type from "typebox";

/** An object of these keys and no others. */
export const closed = { additionalProperties: false } as const;
export const open = Type.Optional;
export const text = Type.String({ minLength: 1 });
/** Over http or https. */
export const url = Type.String({ pattern: "^https?://[^/]+" });
export const labels = Type.Record(Type.String(), Type.String());
export const port = Type.Integer({ minimum: 1, maximum: 65_535 });
export const cidr = Type.String({ pattern: "^[0-9a-fA-F:.]+/[0-9]{1,3}$" });
export const variables = Type.Record(Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$" }), Type.String(), closed);
export const targetInFlight = Type.Integer({ minimum: 1, maximum: 10_000 });
/** Names of secrets, which become names of files. */
export const secretName = Type.String({ pattern: "^[-._A-Za-z0-9]+$" });
export const secrets = Type.Record(secretName, Type.String(), closed);

const path = Type.String({ pattern: "^/" });
const instances = (minimum: number) => open(Type.Integer({ minimum, maximum: 1000 }));

/** The most that a platform with an autoscaler gives a container, and that its autoscaler may aim at. */
export interface Limits {
  readonly cpuMillicores: number;
  readonly memoryMiB: number;
  readonly targetPercent: number;
}

const size = ({ cpuMillicores, memoryMiB }: Limits) => ({
  cpuMillicores: open(Type.Integer({ minimum: 1, maximum: cpuMillicores })),
  memoryMiB: open(Type.Integer({ minimum: 32, maximum: memoryMiB })),
});
const percent = ({ targetPercent }: Limits) => open(Type.Integer({ minimum: 1, maximum: targetPercent }));

/** What a fleet says alike on every platform with an autoscaler, as far as it is known at once. */
export const fleetParts = (limits: Limits) => ({
  tags: open(labels),
  container: open(
    Type.Object(
      {
        ...{ image: open(text), command: open(text), args: open(Type.Array(Type.String())) },
        ...{ env: open(variables), secretEnv: open(variables) },
        ...{ port: open(port), path: open(path), healthPath: open(path), maxProcesses: instances(1) },
        ...size(limits),
      },
      closed,
    ),
  ),
  scaling: open(
    Type.Object(
      {
        minInstances: instances(0),
        maxInstances: instances(1),
        targetInFlight: open(targetInFlight),
        targetCpuPercent: percent(limits),
        targetMemoryPercent: percent(limits),
      },
      closed,
    ),
  ),
});

/** The same of a gateway. */
export const gatewayParts = (limits: Limits) => ({
  tags: open(labels),
  container: open(Type.Object({ image: open(text), ...size(limits) }, closed)),
  scaling: open(
    Type.Object({ minInstances: instances(1), maxInstances: instances(1), targetCpuPercent: percent(limits) }, closed),
  ),
  secrets: open(secrets),
});

const machineSize = {
  cpuMillicores: open(Type.Integer({ minimum: 10, maximum: 256_000 })),
  memoryMiB: open(Type.Integer({ minimum: 32, maximum: 1_048_576 })),
};
const machineInstances = open(Type.Integer({ minimum: 1, maximum: 100 }));

/** What a fleet says alike on every platform that is one machine, as far as it is known at once. */
export const machineFleetParts = {
  tags: open(labels),
  container: open(
    Type.Object(
      {
        ...{ image: open(text), command: open(text), args: open(Type.Array(Type.String())), env: open(variables) },
        ...{ secretEnv: open(variables), port: open(port), path: open(path), healthPath: open(Type.String()) },
        ...{ maxProcesses: machineInstances, ...machineSize },
      },
      closed,
    ),
  ),
  scaling: open(
    Type.Object(
      { minInstances: machineInstances, maxInstances: machineInstances, targetInFlight: open(targetInFlight) },
      closed,
    ),
  ),
};

/** The same of a gateway. */
export const machineGatewayParts = {
  tags: open(labels),
  container: open(Type.Object({ image: open(text), ...machineSize }, closed)),
  port: open(port),
  secrets: open(secrets),
};
