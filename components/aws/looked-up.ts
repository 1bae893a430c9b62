import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../input-error.ts";
import type { Aws } from "./sdk.ts";

/** The account in which a component deploys, which AWS is asked for, in a preview too. */
export function accountId(sdk: Aws, component: string, parent: pulumi.Resource): pulumi.Output<string> {
  const answer = lookedUp(component, "its account (sts:GetCallerIdentity)", sdk.getCallerIdentity({}, { parent }));
  return answer.apply((caller) => caller.accountId);
}

/** The region in which a component deploys. */
export function region(sdk: Aws, component: string, parent: pulumi.Resource): pulumi.Output<string> {
  return lookedUp(component, "its region", sdk.getRegion({}, { parent })).apply((found) => found.region);
}

/** The availability zones of that region. */
export function availabilityZones(sdk: Aws, component: string, parent: pulumi.Resource): pulumi.Output<string[]> {
  const asked = sdk.getAvailabilityZones({ state: "available" }, { parent });
  return lookedUp(component, "its zones (ec2:DescribeAvailabilityZones)", asked).apply((found) => found.names);
}

/** What AWS answers; an InputError that says what a preview needs where it does not. */
function lookedUp<T>(component: string, what: string, answer: Promise<T>): pulumi.Output<pulumi.Unwrap<T>> {
  const refused = (error: Error): never => {
    throw lookUpError(component, what, error);
  };
  return pulumi.output(answer.catch(refused));
}

/** Why a preview cannot go on without an answer of AWS. */
export function lookUpError(component: string, what: string, { message }: Error): InputError {
  const credentials = "credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)";
  const fix = `give ${credentials} and a region (pulumi config set aws:region)`;
  return new InputError(component, [
    `a preview asks AWS for ${what} too, and had no answer; ${fix}. The provider says: ${message.trim()}`,
  ]);
}
