import { serve } from "../serve.ts";
import { accessKinds } from "./access.ts";
import { AwsApi } from "./api.ts";
import { balancingKinds } from "./balancing.ts";
import { containerKinds } from "./containers.ts";
import { kindsOf } from "./kind.ts";
import { networkKinds } from "./network.ts";
import { scalingKinds } from "./scaling.ts";
import { securityGroupKinds } from "./security-groups.ts";
import { watchingKinds } from "./watching.ts";

// Where AWS's interface is, who calls and in which region is in the environment, as the real plugin reads it too.
const region = process.env.AWS_REGION as string;
const api = new AwsApi(process.env.MOTO_PYTHON as string, { AWS_DEFAULT_REGION: region });
const kinds = kindsOf({
  ...networkKinds(api),
  ...securityGroupKinds(api),
  ...accessKinds(api),
  ...containerKinds(api),
  ...balancingKinds(api),
  ...scalingKinds(api),
  ...watchingKinds(api),
});

serve("aws", "7.48.0", kinds, {
  "aws:index/getRegion:getRegion": async () => ({ id: region, region }),
  "aws:index/getCallerIdentity:getCallerIdentity": async () => {
    const { Account, Arn, UserId } = await api.call("sts", "GetCallerIdentity");
    return { id: Account, accountId: Account, arn: Arn, userId: UserId };
  },
  "aws:index/getAvailabilityZones:getAvailabilityZones": async ({ state }) => {
    const Filters = [{ Name: "state", Values: [state] }];
    const { AvailabilityZones } = await api.call("ec2", "DescribeAvailabilityZones", { Filters });
    return { id: region, names: AvailabilityZones.map(({ ZoneName }: { ZoneName: string }) => ZoneName) };
  },
});
