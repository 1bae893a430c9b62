/** A policy of IAM, as its JSON is written. */
export interface Policy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly {
    readonly Effect: "Allow";
    readonly Action: string | readonly string[];
    readonly Resource?: string | readonly string[];
    readonly Principal?: Readonly<Record<string, string>>;
    readonly Condition?: object;
  }[];
}

/** Only this service, and only for this account, may take a role (the "confused deputy" of AWS's own guide). */
const trust = (service: string, accountId: string): Policy => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: "sts:AssumeRole",
      Principal: { Service: service },
      Condition: { StringEquals: { "aws:SourceAccount": accountId } },
    },
  ],
});

/** Only tasks of ECS may take a role. */
export const taskTrust = (accountId: string): Policy => trust("ecs-tasks.amazonaws.com", accountId);

/** Only ECS itself may take the role by which it shifts calls. */
export const shiftTrust = (accountId: string): Policy => trust("ecs.amazonaws.com", accountId);

/** What ECS itself does to start a task: pull the image, write this log group, read this secret, with this key. */
export function executionPolicy(has: {
  readonly logGroupArn: string;
  readonly secretArn?: string | undefined;
  readonly kmsKeyArn?: string | undefined;
}): Policy {
  const allow = (Action: readonly string[], Resource: string | readonly string[]) =>
    ({ Effect: "Allow", Action, Resource }) as const;
  return {
    Version: "2012-10-17",
    Statement: [
      // The token of ECR has no resource (Amazon ECR, "Actions, resources, and condition keys").
      allow(["ecr:GetAuthorizationToken"], "*"),
      allow(
        ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
        "arn:*:ecr:*:*:repository/*",
      ),
      allow(["logs:CreateLogStream", "logs:PutLogEvents"], `${has.logGroupArn}:*`),
      ...(has.secretArn === undefined ? [] : [allow(["secretsmanager:GetSecretValue"], has.secretArn)]),
      ...(has.kmsKeyArn === undefined ? [] : [allow(["kms:Decrypt"], has.kmsKeyArn)]),
    ],
  };
}
