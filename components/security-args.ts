import type * as pulumi from "@pulumi/pulumi";

/** What a caller must have, besides being authenticated. */
export interface RequirementArgs {
  /** Authenticated in one of these ways: `bearer`, `api-key`, `basic`, `jwt`, `mtls`, `anonymous`. Defaults to any that is configured. */
  methods?: pulumi.Input<pulumi.Input<string>[]>;
  /** With all of these OAuth scopes. Defaults to none. */
  scopes?: pulumi.Input<pulumi.Input<string>[]>;
  /** With one of these roles. Defaults to none. */
  roles?: pulumi.Input<pulumi.Input<string>[]>;
}

/** A bound on calls. */
export interface RateLimitArgs {
  /** Length of the window. Defaults to 60000. */
  windowMs?: pulumi.Input<number>;
  /** Calls in a window. Defaults to no bound. */
  maxRequests?: pulumi.Input<number>;
  /** Makes a token bucket of it: so many at once, refilled at maxRequests per windowMs. Defaults to none. */
  burst?: pulumi.Input<number>;
  /** Calls in flight in this process. Defaults to no bound. */
  concurrency?: pulumi.Input<number>;
}
