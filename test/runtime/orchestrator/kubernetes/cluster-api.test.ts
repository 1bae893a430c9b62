import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ClusterApi, ClusterRefusal } from "../../../../runtime/orchestrator/kubernetes/cluster-api.ts";
import { ConnectProxy } from "../../../support/connect-proxy.ts";
import { FakeApiServer } from "../../../support/fake-api-server.ts";

const path = "/apis/apps/v1/namespaces/tools/deployments/gateway";
let server: FakeApiServer;
let port: number;
let proxy: ConnectProxy;

beforeEach(async () => {
  server = new FakeApiServer();
  port = Number(new URL(await server.start()).port);
  proxy = await ConnectProxy.start({ "cluster.test:80": port });
});
afterEach(async () => {
  delete process.env.HTTP_PROXY;
  await proxy.close();
  await server.close();
});

const readThrough = async (more: { proxy?: string } = {}) => {
  const api = new ClusterApi({ server: "http://cluster.test", origin: "a test", tls: {}, ...more });
  try {
    return await api.get<{ metadata: { name: string } }>(path);
  } finally {
    await api.close();
  }
};

test("the proxy of the kubeconfig is used, and else that of the environment", async () => {
  expect((await readThrough({ proxy: `http://127.0.0.1:${proxy.port}` })).metadata.name).toBe("gateway");
  process.env.HTTP_PROXY = `http://127.0.0.1:${proxy.port}`;
  expect((await readThrough()).metadata.name).toBe("gateway");
  expect(proxy.asked.map(([target]) => target)).toEqual(["cluster.test:80", "cluster.test:80"]);
});

test("a refusal has the status and the API server's sentence", async () => {
  server.refused = { [path]: 403 };
  const api = new ClusterApi({ server: `http://127.0.0.1:${port}`, origin: "a test", tls: {} });
  const refusal = await api.get(path).catch((error: unknown) => error);
  await api.close();
  expect(refusal).toBeInstanceOf(ClusterRefusal);
  expect([(refusal as ClusterRefusal).status, (refusal as Error).message]).toEqual([
    ...[403, `HTTP 403 of http://127.0.0.1:${port}${path}: no ${path}`],
  ]);
});
