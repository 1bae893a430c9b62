import { dockerOk } from "../../../support/docker.ts";
import { type Kind, serve } from "../serve.ts";

/** What the components say of a build. */
interface Build {
  readonly context: { readonly location: string };
  readonly dockerfile: { readonly location: string };
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
}

/** The last two are defaults of the provider's SDK: a preview that builds, and the engine's usual network. */
const known = ["context", "dockerfile", "buildArgs", "tags", "push", "load", "buildOnPreview", "network"];
const digestOf = (tag: string) => dockerOk(["image", "inspect", "--format", "{{.Id}}", tag]);

/** An image in the engine's own store. The real provider builds with BuildKit, this one with the engine's own `docker build`. */
const image: Kind = {
  autonamed: false,
  async create(inputs) {
    const strange = Object.keys(inputs).filter((key) => !known.includes(key));
    if (strange.length > 0) throw new Error(`the stand-in for docker-build does not know ${strange.join(", ")}`);
    const { context, dockerfile, buildArgs, tags } = inputs as unknown as Build;
    const [tag] = tags as [string];
    const args = Object.entries(buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
    await dockerOk(["build", "--quiet", "--file", dockerfile.location, "--tag", tag, ...args, context.location]);
    return { id: tag, outputs: { digest: await digestOf(tag), ref: tag } };
  },
  async read(id) {
    const digest = await digestOf(id).catch(() => undefined);
    return digest === undefined ? undefined : { id, outputs: { digest, ref: id } };
  },
  // The image stays on the host, as with the real provider.
  delete: async () => {},
};

serve("docker-build", "0.0.22", { "docker-build:index:Image": image });
