import type * as aws from "@pulumi/aws";
import { Platform } from "../platform.ts";
import { providerSdk } from "../provider-sdk.ts";

/** The SDK, which is loaded only where something is deployed to AWS. */
export type Aws = typeof aws;

/** Loads it. Throws InputError when it is not installed. */
export function awsSdk(component: string): Aws {
  return providerSdk<Aws>(component, Platform.Aws, "@pulumi/aws");
}
