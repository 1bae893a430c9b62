import type { Cloud } from "./graph.ts";

/** What AWS would make known of resources, as far as the components read it. */
export const awsCloud: Cloud = {
  computed: (type, name) => ({
    ...{
      arn: `arn:aws:test:::${name}`,
      name,
      dnsName: `${name}.elb.example`,
      zoneId: "Z-elb",
      fqdn: `${name}.example`,
    },
    ...{ versionId: "v1", certificateArn: `arn:aws:acm:::${name}` },
    ...(type.startsWith("aws:acm/") ? { domainValidationOptions: [validation] } : {}),
    ...(type.startsWith("aws:elasticache/") ? { endpoints: [{ address: `${name}.cache.example`, port: 6379 }] } : {}),
  }),
  answer: (token) =>
    token.includes("getAvailabilityZones")
      ? { names: ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
      : { accountId: "123456789012", region: "eu-central-1" },
};

const validation = {
  domainName: "mcp.example.com",
  resourceRecordName: "_1.mcp.example.com",
  resourceRecordType: "CNAME",
  resourceRecordValue: "_2.acm.example",
};
