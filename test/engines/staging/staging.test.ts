import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Checkout } from "../../support/checkout.ts";
import { Cluster, loadImages, packageImage } from "../../support/cluster.ts";
import { image } from "../../support/docker.ts";
import { engineFolder } from "../../support/engine-folder.ts";
import { Load } from "../../support/load.ts";
import { has } from "../../support/present.ts";
import { standIns } from "../../support/stand-ins.ts";
import { storyWith } from "../../support/story.ts";

// One story in order, on a real cluster under the real Pulumi engine: the stack `staging`, as it is committed but for the
// sizes of its pods. Where the provider plugin cannot be had, a stand-in does to the cluster what the components declare.
const needs = [
  "a Pulumi engine",
  "a Kubernetes cluster (test/engines/engines up kubernetes)",
  "a Docker engine with the image (npm run image)",
] as const;
const test = storyWith(...needs);
const able = needs.every((need) => has(need));
const token = randomBytes(16).toString("hex");
const headers = { authorization: `Bearer ${token}` };
const everything = "mcp-everything:2026.8.31";

let checkout: Checkout;
let cluster: Cluster;
let address: string;
let load: Load | undefined;
const stack = (command: string) => checkout.run(`npm ${command} -- --stack staging`, env());
const env = (): Record<string, string> => ({
  ...cluster.env,
  PATH: [...standIns, engineFolder, cluster.env.PATH].join(delimiter),
  PULUMI_CONFIG_PASSPHRASE: "",
});
const echo = { name: "echo", arguments: { message: "hello" } };
const until = async <T>(ask: () => Promise<T>, right: (answer: T) => boolean): Promise<T> => {
  let answer = await ask();
  for (let tries = 0; !right(answer); tries += 1) {
    if (tries === 400) throw new Error(`still not after ${tries} s: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    answer = await ask();
  }
  return answer;
};

beforeAll(async () => {
  if (!able) return;
  checkout = new Checkout({ modules: "shared" });
  cluster = new Cluster("mcp-fleet");
  // KEDA's among them.
  await promisify(execFile)(join(import.meta.dirname, "../engines"), ["crds"]);
  const command = ["dist/index.js", "streamableHttp"];
  await packageImage(everything, "@modelcontextprotocol/server-everything", "2026.8.31", command);
  await loadImages(image, everything);
  checkout.configure((config) => {
    const { gateway, fleets } = { gateway: config["mcp-fleet:gateway"], fleets: config["mcp-fleet:fleets"] };
    // Sized for a machine of two cores; the autoscaler is to come down within the test.
    gateway.container = { cpuMillicores: 100 };
    for (const fleet of Object.values(fleets)) {
      fleet.container = { ...(fleet.container as object), cpuMillicores: 100 };
      fleet.kubernetes = { scaleDownAfterSeconds: 15 };
    }
    const measured = fleets.everything as Record<string, object>;
    // So little is reserved that the load of this test is much more, whatever else the machine does.
    measured.container = { ...measured.container, cpuMillicores: 20 };
    measured.scaling = { minInstances: 2, maxInstances: 5 };
  }, "staging");
  const pulumi = (line: string) => checkout.run(`pulumi ${line}`, { ...env(), PULUMI_BACKEND_URL: checkout.backend() });
  const secrets = { operator: token, session: randomBytes(32).toString("base64") };
  const lines = Object.entries(secrets).map(
    ([name, value]) => `config set --stack staging --secret --path mcp-fleet:secrets.${name} ${value}`,
  );
  for (const line of ["stack init staging", ...lines]) {
    const { code, err } = await pulumi(line);
    expect([line.split(" ")[0], code, code === 0 ? "" : err]).toEqual([line.split(" ")[0], 0, ""]);
  }
}, 300_000);
/** Also after a failure: the load of one test would spoil the next one. */
afterEach(async () => {
  await load?.stop();
  load = undefined;
});
afterAll(async () => {
  if (!able) return;
  await stack("run stop");
  await cluster.kubectl("delete", "namespace", "mcp-fleet", "--ignore-not-found").catch(() => {});
  checkout.close();
}, 300_000);

test("npm start brings gateway and fleets up, ready under restricted Pod Security", async () => {
  const { code, out, err } = await stack("start");
  expect([code, code === 0 ? "" : out + err]).toEqual([0, ""]);
  const { metadata } = await cluster.get<{ metadata: { labels: object } }>("namespace", "mcp-fleet");
  expect(metadata.labels).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
  for (const name of ["gateway", "mcp-everything", "mcp-sequential"]) {
    // The autoscaler owns the number of pods: it makes the first one two, and may add more for the work of starting.
    await until(
      () => cluster.readyPods(name),
      (ready) => ready.length >= 2,
    );
  }
  const { spec } = await cluster.get<{ spec: { clusterIP: string } }>("service", "gateway");
  address = `http://${spec.clusterIP}:8080`;
});

async function connect(): Promise<Client> {
  const client = new Client({ name: "story", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", address), { requestInit: { headers } }));
  return client;
}

test("clients call both servers through the gateway; without the token nobody does", async () => {
  const client = await connect();
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["everything__echo", "sequential__sequentialthinking"]),
  );
  const said = await client.callTool({ ...echo, name: "everything__echo" });
  expect(said.content).toEqual([{ type: "text", text: "Echo: hello" }]);
  const thought = { thought: "step by step", thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false };
  // Another client does not find what the first one has thought.
  const other = await connect();
  for (const one of [client, other]) {
    const thinking = await one.callTool({ name: "sequential__sequentialthinking", arguments: thought });
    const text = (thinking.content as { text: string }[])[0]?.text as string;
    expect(JSON.parse(text)).toMatchObject({ thoughtNumber: 1, thoughtHistoryLength: 1 });
  }
  await (other.transport as StreamableHTTPClientTransport).terminateSession();
  await other.close();
  await client.close();
  const refused = await fetch(`${address}/mcp`, { method: "POST", body: "{}" });
  expect(refused.status).toBe(401);
});

test("with nothing changed, neither preview nor start changes anything, and a refresh finds no drift", async () => {
  const { code, out } = await stack("run preview");
  expect([code, out]).toEqual([0, expect.stringMatching(/\nNo change\.\n$/)]);
  // Refreshes before it compares.
  expect((await stack("start")).out).toContain("Nothing has changed");
});

test("under load the autoscaler takes a fleet from two pods to five and back, and no call fails", async () => {
  const pods = (count: number) =>
    until(
      () => cluster.readyPods("mcp-everything"),
      (ready) => ready.length === count,
    );
  await pods(2);
  load = await Load.start(`${address}/mcp/everything`, { clients: 8, pauseMs: 1, call: echo, headers });
  await pods(5);
  // So few calls that two pods have enough at any speed of the machine.
  load.pause(2000);
  await pods(2);
  const { calls, failures, sessions } = await load.stop();
  console.info(`autoscaling: ${calls} calls`);
  expect([failures, sessions]).toEqual([[], 8]);
});

test("a changed fleet and gateway are renewed pod by pod under load: no call fails, and no session is lost", async () => {
  const before = [...(await cluster.readyPods("gateway")), ...(await cluster.readyPods("mcp-everything"))];
  checkout.configure((config) => {
    config["mcp-fleet:gateway"].drainMs = 8000;
    (config["mcp-fleet:fleets"].everything as Record<string, unknown>).tags = { release: "second" };
  }, "staging");
  const { out: planned } = await stack("run preview");
  const changed = [
    ...planned.matchAll(/^ *[~+-]+ ?[^\s~+-]\S*: \(\S+\)\n(?: *\[id=.*\]\n)? *\[urn=\S+::([\w-]+)\]$/gm),
  ];
  expect([...new Set(changed.map(([, name]) => name))].sort()).toEqual([
    ...["everything", "everything-account", "everything-autoscaler", "everything-budget", "everything-deployment"],
    ...["everything-network", "everything-rollout", "everything-service"],
    ...["gateway", "gateway-config", "gateway-deployment", "gateway-rollout"],
  ]);
  load = await Load.start(`${address}/mcp/everything`, { clients: 8, pauseMs: 20, call: echo, headers });
  const { code, out, err } = await stack("start");
  const { calls, failures, sessions } = await load.stop();
  expect([code, code === 0 ? "" : out + err]).toEqual([0, ""]);
  console.info(`rolling update: ${calls} calls`);
  expect([failures, sessions]).toEqual([[], 8]);
  const after = [...(await cluster.readyPods("gateway")), ...(await cluster.readyPods("mcp-everything"))];
  expect(after.filter((pod) => before.includes(pod))).toEqual([]);
});

test("a gateway that cannot start fails the update with its reason, though a fleet changes too; the earlier one serves on", async () => {
  checkout.configure((config) => {
    config["mcp-fleet:gateway"].container = { cpuMillicores: 100, image: "mcp-fleet:none" };
    (config["mcp-fleet:fleets"].everything as Record<string, unknown>).tags = { release: "third" };
  }, "staging");
  load = await Load.start(`${address}/mcp/everything`, { clients: 8, pauseMs: 20, call: echo, headers });
  const { code, err } = await stack("start");
  const { calls, failures, sessions } = await load.stop();
  const reason =
    /Deployment mcp-fleet\/gateway: the new version does not start \(0 of \d new pods are ready, \d of the earlier version left\); the earlier version goes on serving; pod gateway-\S+, container gateway: (ErrImagePull|ImagePullBackOff)/;
  expect([code, err]).toEqual([1, expect.stringMatching(reason)]);
  console.info(`a gateway that cannot start: ${calls} calls`);
  expect([failures, sessions]).toEqual([[], 8]);
});

test("the next start fails again, and that of the configuration before takes the change back", async () => {
  const { code } = await stack("start");
  checkout.configure((config) => {
    config["mcp-fleet:gateway"].container = { cpuMillicores: 100 };
  }, "staging");
  load = await Load.start(`${address}/mcp/everything`, { clients: 8, pauseMs: 20, call: echo, headers });
  const reverted = await stack("start");
  const { failures, sessions } = await load.stop();
  expect([code, reverted.code, reverted.code === 0 ? "" : reverted.out + reverted.err]).toEqual([1, 0, ""]);
  expect([failures, sessions]).toEqual([[], 8]);
});

test("what somebody else has changed is put back", async () => {
  const imageOf = async () =>
    cluster.kubectl("get", "deployment", "mcp-everything", "-o", "jsonpath={.spec.template.spec.containers[0].image}");
  await cluster.kubectl("set", "image", "deployment/mcp-everything", "fleet=mcp-everything:drifted");
  expect(await imageOf()).toBe("mcp-everything:drifted");
  const { code, out, err } = await stack("start");
  expect([code, code === 0 ? "" : out + err]).toEqual([0, ""]);
  expect(await imageOf()).toBe(everything);
});

const keda = { autoscaler: "keda", keda: { prometheusAddress: "http://prometheus:9090" } };
const bounds = { minInstances: 2, maxInstances: 5 };
const changes = [
  { to: "none", kubernetes: { autoscaler: "none" }, scaling: { minInstances: 3 }, autoscaled: [] },
  { to: "KEDA", kubernetes: keda, scaling: bounds, autoscaled: [] },
  { to: "HPA", kubernetes: { scaleDownAfterSeconds: 15 }, scaling: bounds, autoscaled: ["mcp-everything"] },
];
for (const { to, kubernetes, scaling, autoscaled } of changes) {
  test(`a fleet goes over to ${to} and keeps its pods: no call fails`, async () => {
    checkout.configure((config) => {
      Object.assign(config["mcp-fleet:fleets"].everything as object, { kubernetes, scaling });
    }, "staging");
    load = await Load.start(`${address}/mcp/everything`, { clients: 8, pauseMs: 500, call: echo, headers });
    const { code, out, err } = await stack("start");
    const { failures, sessions } = await load.stop();
    expect([code, code === 0 ? "" : out + err]).toEqual([0, ""]);
    expect([failures, sessions]).toEqual([[], 8]);
    const { items } = await cluster.get<{ items: { metadata: { name: string } }[] }>("hpa");
    const names = items.map(({ metadata }) => metadata.name).sort();
    expect(names).toEqual(["gateway", ...autoscaled, "mcp-sequential"]);
    expect((await cluster.readyPods("mcp-everything")).length).toBeGreaterThanOrEqual(2);
  });
}

test("eviction respects the disruption budget: one pod at a time", async () => {
  // The new autoscaler can still remove a pod, and the cluster counts the budget again after each change.
  const [first, second] = await until(
    async () => {
      const budget = await cluster.get<{ status?: { disruptionsAllowed?: number } }>("pdb", "mcp-everything");
      return budget.status?.disruptionsAllowed === 1 ? cluster.readyPods("mcp-everything") : [];
    },
    (pods) => pods.length === 2,
  );
  const answers = [await cluster.evict(first as string), await cluster.evict(second as string)];
  expect(answers).toEqual([201, 429]);
  await until(
    () => cluster.readyPods("mcp-everything"),
    (pods) => pods.length === 2 && !pods.includes(first as string),
  );
});

test("npm run stop leaves nothing in the cluster", async () => {
  const { code, out, err } = await stack("run stop");
  expect([code, code === 0 ? "" : out + err]).toEqual([0, ""]);
  await expect(cluster.kubectl("get", "namespace", "mcp-fleet")).rejects.toThrow("NotFound");
});
