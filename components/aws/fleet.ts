import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { isExternal } from "../fleet/external.ts";
import { externalFleet } from "../fleet/external-fleet.ts";
import { checkFleet, reachedServer } from "../fleet/hosted-server.ts";
import { InputError } from "../input-error.ts";
import type { PlatformComponents } from "../platforms.ts";
import { scalingObjects } from "./autoscaling.ts";
import { awsDefaults as defaults } from "./defaults.ts";
import { fleetWorkload } from "./fleet-workload.ts";
import { inFlightMetric } from "./metric-names.ts";
import { stackNameProblems } from "./name-rules.ts";
import { fleetProblems } from "./rules.ts";
import { awsSdk } from "./sdk.ts";
import { allowFrom, allowTlsOut, securityGroup } from "./security-group.ts";
import { serviceObject } from "./service.ts";
import { taskObjects } from "./task.ts";
import { tagsOf } from "./workload.ts";

/** A fleet as an ECS service on Fargate, found by its name in Cloud Map; one that something else runs has no resources at all. */
export const fleet: PlatformComponents["fleet"] = (parent, name, settings) => {
  const { component, args } = settings;
  const problems = fleetProblems(name, args);
  if (problems.length > 0) throw new InputError(component, problems);
  if (isExternal(args)) return externalFleet(settings);
  const badNames = stackNameProblems(name, false);
  if (badNames.length > 0) throw new InputError(component, badNames);
  checkFleet(settings, []);
  const sdk = awsSdk(component);
  const child = childOf(parent);
  const workload = fleetWorkload(settings);
  const { environment } = workload.block;
  const { scaling, container } = args;
  const task = taskObjects(sdk, parent, name, workload, container?.secretEnv);
  const group = securityGroup(sdk, parent, `${name}-security`, workload, `Tasks of MCP fleet ${name}`);
  const rules = [
    allowFrom(sdk, parent, `${name}-from-gateways`, workload, {
      ...{ to: group, from: environment.gatewaySecurityGroupId, port: workload.port },
      description: "Calls of gateways",
    }),
    ...allowTlsOut(sdk, parent, `${name}-to-tls`, workload, group),
  ];
  const discovery = new sdk.servicediscovery.Service(
    `${name}-discovery`,
    {
      name,
      dnsConfig: {
        namespaceId: environment.namespaceId,
        routingPolicy: "MULTIVALUE",
        dnsRecords: [{ type: "A", ttl: defaults.dnsTtlSeconds }],
      },
      tags: tagsOf(workload),
    },
    child(),
  );
  const minInstances = scaling?.minInstances ?? defaults.fleetMinInstances;
  const service = serviceObject(sdk, parent, name, workload, task, minInstances, {
    securityGroups: [group.id],
    serviceRegistries: { registryArn: discovery.arn },
    needs: rules,
  });
  const metric = inFlightMetric(name);
  const { targetInFlight } = scaling ?? {};
  if (targetInFlight !== undefined) {
    new sdk.cloudwatch.LogMetricFilter(
      `${name}-in-flight`,
      {
        logGroupName: task.logGroup.name,
        pattern: '{ $.msg = "load" }',
        metricTransformation: { namespace: metric.namespace, name: metric.name, value: "$.inFlight" },
      },
      child(),
    );
  }
  scalingObjects(sdk, parent, name, workload, service, {
    minInstances,
    maxInstances: scaling?.maxInstances ?? defaults.fleetMaxInstances,
    targetCpuPercent: scaling?.targetCpuPercent ?? defaults.targetCpuPercent,
    targetMemoryPercent: scaling?.targetMemoryPercent,
    inFlight: targetInFlight === undefined ? undefined : { target: targetInFlight, metric },
  });
  const dnsName = pulumi.interpolate`${name}.${environment.namespaceName}`;
  const path = container?.path ?? defaults.path;
  const found = pulumi.jsonStringify({
    ...reachedServer(settings),
    protocol: "http",
    discovery: { dns: { name: dnsName, port: workload.port, path } },
  });
  const address = pulumi.interpolate`http://${dnsName}:${workload.port}`;
  // Whoever waits for the fleet waits for its tasks.
  const ready = service.id;
  return {
    serverName: ready.apply(() => name),
    source: pulumi.output(workload.image),
    configuration: found,
    internalEndpoint: pulumi.interpolate`${address}${path}`,
    metricsTarget: container?.port === undefined ? pulumi.interpolate`${address}/metrics` : pulumi.output(""),
  };
};
