/** Resources of the `process` platform. */
export const resourceKinds = ["fleet", "gateway"] as const;
export type ResourceKind = (typeof resourceKinds)[number];

/** What a deployment engine does with a resource. */
export const operations = ["check", "diff", "create", "update", "delete", "read"] as const;
export type Operation = (typeof operations)[number];
