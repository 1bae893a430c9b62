import { dockerOk } from "../../../support/docker.ts";
import { type Kind, type Properties, serve } from "../serve.ts";
import { container } from "./container.ts";

const labels = (given: unknown): string[] =>
  ((given ?? []) as { label: string; value: string }[]).flatMap(({ label, value }) => ["--label", `${label}=${value}`]);

/** Refuses what would otherwise be declared and not done. */
function only(inputs: Properties, known: readonly string[]): void {
  const strange = Object.keys(inputs).filter((key) => !known.includes(key));
  if (strange.length > 0) throw new Error(`the stand-in for docker does not know ${strange.join(", ")}`);
}

const exists = (kind: string, id: string) =>
  dockerOk([kind, "inspect", id]).then(
    () => ({ id, outputs: {} }),
    () => undefined,
  );

/** As it is read back after a network is made (resource_docker_network_funcs.go, flattenIpamConfigSpec). */
async function subnetsOf(id: string): Promise<object[]> {
  const configs = JSON.parse(await dockerOk(["network", "inspect", "--format", "{{json .IPAM.Config}}", id]));
  return (configs as { Subnet: string; Gateway: string }[]).map(({ Subnet, Gateway }) => ({
    subnet: Subnet,
    gateway: Gateway,
  }));
}

const network: Kind = {
  autonamed: true,
  async create(inputs) {
    only(inputs, ["name", "driver", "internal", "labels"]);
    const internal = inputs.internal === true ? ["--internal"] : [];
    const flags = ["--driver", inputs.driver as string, ...internal, ...labels(inputs.labels)];
    const id = await dockerOk(["network", "create", ...flags, inputs.name as string]);
    return { id, outputs: { ipamConfigs: await subnetsOf(id) } };
  },
  read: (id) => exists("network", id),
  delete: async (id) => void (await dockerOk(["network", "rm", id])),
};

const volume: Kind = {
  autonamed: true,
  async create(inputs) {
    only(inputs, ["name", "labels"]);
    const id = await dockerOk(["volume", "create", ...labels(inputs.labels), inputs.name as string]);
    return { id, outputs: { driver: "local" } };
  },
  read: (id) => exists("volume", id),
  delete: async (id) => void (await dockerOk(["volume", "rm", id])),
};

const remoteImage: Kind = {
  autonamed: false,
  async create(inputs) {
    only(inputs, ["name", "keepLocally", "triggers"]);
    const name = inputs.name as string;
    const imageId = await dockerOk(["image", "inspect", "--format", "{{.Id}}", name]).catch(async () => {
      await dockerOk(["pull", name]);
      return dockerOk(["image", "inspect", "--format", "{{.Id}}", name]);
    });
    return { id: `${imageId}${name}`, outputs: { imageId } };
  },
  async read(id, { name }) {
    const imageId = await dockerOk(["image", "inspect", "--format", "{{.Id}}", name as string]).catch(() => undefined);
    return imageId === undefined ? undefined : { id, outputs: { imageId } };
  },
  // `keepLocally` is what the components say.
  delete: async () => {},
};

serve("docker", "5.2.0", {
  "docker:index/network:Network": network,
  "docker:index/volume:Volume": volume,
  "docker:index/remoteImage:RemoteImage": remoteImage,
  "docker:index/container:Container": container,
});
