import { describe, expect, test } from "@jest/globals";
import { executionPolicy, taskTrust } from "../../../components/aws/policies.ts";
import { taskSize } from "../../../components/aws/task-size.ts";
import { networkProblems, zoneCidrs } from "../../../components/network/subnets.ts";

describe("the size of a task", () => {
  test.each([
    [1, 32, { cpu: "256", memory: "512" }],
    [250, 512, { cpu: "256", memory: "512" }],
    [250, 1500, { cpu: "256", memory: "2048" }],
    [250, 3000, { cpu: "512", memory: "3072" }],
    [500, 1024, { cpu: "512", memory: "1024" }],
    [501, 1024, { cpu: "1024", memory: "2048" }],
    [1000, 9000, { cpu: "2048", memory: "9216" }],
    [8000, 17_000, { cpu: "8192", memory: "20480" }],
    [16_000, 122_880, { cpu: "16384", memory: "122880" }],
    [16_001, 1024, undefined],
    [1, 122_881, undefined],
  ])("%i millicores with %i MiB", (cpu, memory, size) => {
    expect(taskSize(cpu, memory)).toEqual(size);
  });
});

test("a task may be taken by ECS in this account only, and starts with no more than it needs", () => {
  expect(taskTrust("123456789012")).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "sts:AssumeRole",
        Principal: { Service: "ecs-tasks.amazonaws.com" },
        Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } },
      },
    ],
  });
  const pull = [
    { Effect: "Allow", Action: ["ecr:GetAuthorizationToken"], Resource: "*" },
    {
      Effect: "Allow",
      Action: ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
      Resource: "arn:*:ecr:*:*:repository/*",
    },
  ];
  const logs = { Effect: "Allow", Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: "arn:logs:*" };
  expect(executionPolicy({ logGroupArn: "arn:logs" })).toEqual({ Version: "2012-10-17", Statement: [...pull, logs] });
  expect(
    executionPolicy({ logGroupArn: "arn:logs", secretArn: "arn:secret", kmsKeyArn: "arn:key" }).Statement.slice(3),
  ).toEqual([
    { Effect: "Allow", Action: ["secretsmanager:GetSecretValue"], Resource: "arn:secret" },
    { Effect: "Allow", Action: ["kms:Decrypt"], Resource: "arn:key" },
  ]);
});

test("subnets of a network", () => {
  expect(zoneCidrs("10.7.0.0/16", 3)).toEqual([
    { privateCidr: "10.7.0.0/20", publicCidr: "10.7.240.0/24" },
    { privateCidr: "10.7.16.0/20", publicCidr: "10.7.241.0/24" },
    { privateCidr: "10.7.32.0/20", publicCidr: "10.7.242.0/24" },
  ]);
  expect(networkProblems({ cidrBlock: "10.7.0.0/16", zones: 2 })).toEqual([]);
  expect(networkProblems({ cidrBlock: "10.300.0.0/16", zones: 1 })).toEqual([
    'cidrBlock is "10.300.0.0/16"; give a block of size 16 such as 10.42.0.0/16',
    "zones has 1 entries; give two to six availability zones",
  ]);
});
