import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { awsDefaults as defaults } from "./defaults.ts";
import type { Workload } from "./workload.ts";

/** Where a task may write: its root is read-only. */
const temporary = { name: "tmp", path: "/tmp" } as const;

/** The volumes of every task. */
export const taskVolumes: aws.ecs.TaskDefinitionArgs["volumes"] = [{ name: temporary.name }];

/** Where logs go, and the secret from which variables come. */
export interface ContainerPlaces {
  readonly logGroup: pulumi.Input<string>;
  readonly region: pulumi.Input<string>;
  readonly secretArn: pulumi.Input<string> | undefined;
  /** A new version of the secret makes new tasks. */
  readonly secretVersion: pulumi.Input<string> | undefined;
}

/** The one container of a task, in the JSON of ECS. */
export function containerDefinition(workload: Workload, places: ContainerPlaces): pulumi.Output<string> {
  const { role, image, entryPoint, command, env, secretEnv, port, healthCommand, stopSeconds } = workload;
  return pulumi.output({ image, entryPoint, command, env, stopSeconds, ...places }).apply((known) =>
    JSON.stringify([
      {
        name: role,
        image: known.image,
        essential: true,
        ...(known.entryPoint === undefined ? {} : { entryPoint: known.entryPoint }),
        ...(known.command === undefined ? {} : { command: known.command }),
        environment: entries(known.env).map(([name, value]) => ({ name, value })),
        secrets: entries(secretEnv).map(([name, key]) => ({
          name,
          valueFrom: `${known.secretArn}:${key}::${known.secretVersion}`,
        })),
        portMappings: [{ name: "http", containerPort: port, protocol: "tcp", appProtocol: "http" }],
        ...(healthCommand === undefined ? {} : { healthCheck: healthCheck(healthCommand) }),
        stopTimeout: known.stopSeconds,
        user: `${defaults.userId}:${defaults.userId}`,
        readonlyRootFilesystem: true,
        privileged: false,
        linuxParameters: { initProcessEnabled: true, capabilities: { drop: ["ALL"] } },
        mountPoints: [{ sourceVolume: temporary.name, containerPath: temporary.path, readOnly: false }],
        logConfiguration: {
          logDriver: "awslogs",
          options: {
            "awslogs-group": known.logGroup,
            "awslogs-region": known.region,
            "awslogs-stream-prefix": role,
            // Logs that cannot be written must not stop calls.
            mode: "non-blocking",
            "max-buffer-size": "4m",
          },
        },
      },
    ]),
  );
}

function healthCheck(command: readonly string[]): object {
  return { command: ["CMD", ...command], interval: 10, timeout: 5, retries: 3, startPeriod: defaults.startSeconds };
}

const entries = <Value>(record: Readonly<Record<string, Value>>): [string, Value][] =>
  Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));
