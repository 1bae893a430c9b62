import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { containerDefinition, taskVolumes } from "./container-definition.ts";
import { awsDefaults as defaults } from "./defaults.ts";
import { accountId, region } from "./looked-up.ts";
import { stackName } from "./name-rules.ts";
import { executionPolicy, taskTrust } from "./policies.ts";
import type { Aws } from "./sdk.ts";
import { tagsOf, type Workload } from "./workload.ts";

/** What of a task others refer to. */
export interface TaskObjects {
  readonly definition: aws.ecs.TaskDefinition;
  readonly logGroup: aws.cloudwatch.LogGroup;
  /** What must be there before a task starts. */
  readonly needs: pulumi.Resource[];
}

/** What every workload's tasks need: logs, secrets, two roles, and their definition. */
export function taskObjects(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  secrets: Readonly<Record<string, pulumi.Input<string>>> | undefined,
): TaskObjects {
  const child = childOf(parent);
  const tags = tagsOf(workload);
  const { block, size } = workload;
  const { kmsKeyArn: kmsKeyId } = block;
  const logGroup = new sdk.cloudwatch.LogGroup(
    `${name}-logs`,
    { retentionInDays: block.logRetentionDays ?? defaults.logRetentionDays, kmsKeyId, tags },
    child(),
  );
  const secret = secretObjects(sdk, parent, name, workload, secrets);
  const trust = accountId(sdk, workload.component, parent).apply((id) => JSON.stringify(taskTrust(id)));
  const executionRole = new sdk.iam.Role(`${name}-execution-role`, { assumeRolePolicy: trust, tags }, child());
  const policy = pulumi
    .all([logGroup.arn, secret?.secret.arn, block.kmsKeyArn])
    .apply(([logGroupArn, secretArn, kmsKeyArn]) =>
      JSON.stringify(executionPolicy({ logGroupArn, secretArn, kmsKeyArn })),
    );
  const execution = new sdk.iam.RolePolicy(`${name}-execution-policy`, { role: executionRole.id, policy }, child());
  // What the server itself may do in AWS: nothing, until the user says what.
  const taskRole = new sdk.iam.Role(`${name}-task-role`, { assumeRolePolicy: trust, tags }, child());
  const attached = (block.taskPolicyArns ?? []).map(
    (policyArn, index) =>
      new sdk.iam.RolePolicyAttachment(`${name}-task-policy-${index + 1}`, { role: taskRole.name, policyArn }, child()),
  );
  const definition = new sdk.ecs.TaskDefinition(
    `${name}-task`,
    {
      family: stackName(name),
      requiresCompatibilities: ["FARGATE"],
      networkMode: "awsvpc",
      cpu: size.cpu,
      memory: size.memory,
      runtimePlatform: {
        operatingSystemFamily: "LINUX",
        cpuArchitecture: block.architecture ?? defaults.architecture,
      },
      executionRoleArn: executionRole.arn,
      taskRoleArn: taskRole.arn,
      volumes: taskVolumes,
      containerDefinitions: containerDefinition(workload, {
        logGroup: logGroup.name,
        region: region(sdk, workload.component, parent),
        secretArn: secret?.secret.arn,
        secretVersion: secret?.version.versionId,
      }),
      tags,
    },
    child(),
  );
  return { definition, logGroup, needs: [execution, ...attached] };
}

function secretObjects(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  values: Readonly<Record<string, pulumi.Input<string>>> | undefined,
) {
  if (values === undefined || Object.keys(values).length === 0) return undefined;
  const child = childOf(parent);
  const { kmsKeyArn: kmsKeyId } = workload.block;
  const secret = new sdk.secretsmanager.Secret(
    `${name}-secret`,
    // A stack that is made anew would otherwise meet the secret that waits for its deletion.
    { description: `Secrets of ${workload.role} ${name}`, kmsKeyId, recoveryWindowInDays: 0, tags: tagsOf(workload) },
    child(),
  );
  const secretString = pulumi.secret(pulumi.jsonStringify(values));
  const version = new sdk.secretsmanager.SecretVersion(
    `${name}-secret-value`,
    { secretId: secret.id, secretString },
    child(),
  );
  return { secret, version };
}
