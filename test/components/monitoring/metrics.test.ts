import { expect, test } from "@jest/globals";
import { gatewaySeries } from "../../../components/monitoring/metrics.ts";
import { statefulServer, TestGateway } from "../../support/gateway.ts";

test("the metrics that a rule can name are those of a running gateway", async () => {
  const gateway = await TestGateway.start({ servers: { notes: statefulServer() } });
  try {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    const series = types.flatMap(([, name, type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    );
    expect([...gatewaySeries].sort()).toEqual(series.sort());
  } finally {
    await gateway.close();
  }
});
