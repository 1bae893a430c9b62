import { isDeepStrictEqual } from "node:util";
import * as grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { apply, type KubernetesObject, read, remove } from "./cluster.ts";

/**
 * A stand-in for the Kubernetes provider plugin, for machines that cannot get it: the real Pulumi engine asks it for the
 * same operations, and it does to the real cluster what the components have declared, by `kubectl`. It is not the
 * provider: its diffs are plain comparisons, and it waits for Deployments only.
 */
type Properties = Record<string, unknown>;
type Call = { readonly request: Request };
interface Request {
  getUrn(): string;
  getId(): string;
  getPreview(): boolean;
  getNews(): Struct | undefined;
  getOlds(): Struct | undefined;
  getOldInputs(): Struct | undefined;
  getInputs(): Struct | undefined;
  getProperties(): Struct | undefined;
}
interface Struct {
  toJavaScript(): Properties;
}
type Callback = (error: grpc.ServiceError | Error | null, response?: unknown) => void;

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const plain = (value: Struct | undefined): Properties => value?.toJavaScript() ?? {};
const wire = (value: object) => struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(value)));
const hasUnknown = (value: unknown): boolean => JSON.stringify(value).includes(unknown);
const object = (value: Properties): KubernetesObject => value as unknown as KubernetesObject;

/** What a change of cannot be applied to an object that exists. */
const fixed = (kind: string): string[] => [
  "apiVersion",
  "kind",
  ...(kind === "Deployment" ? ["spec.selector"] : []),
  ...(kind === "ConfigMap" ? ["data"] : []),
  ...(kind === "RoleBinding" ? ["roleRef"] : []),
];

const at = (value: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((node, key) => (node as Properties | undefined)?.[key], value);

const handlers = {
  handshake: unimplemented,
  getSchema: (_call: Call, done: Callback) => {
    const response = new messages.GetSchemaResponse();
    response.setSchema(JSON.stringify({ name: "kubernetes" }));
    done(null, response);
  },
  checkConfig: ({ request }: Call, done: Callback) => {
    const response = new messages.CheckResponse();
    response.setInputs(request.getNews() as never);
    done(null, response);
  },
  diffConfig: (_call: Call, done: Callback) => done(null, new messages.DiffResponse()),
  configure: (_call: Call, done: Callback) => {
    const response = new messages.ConfigureResponse();
    response.setSupportspreview(true);
    done(null, response);
  },
  check: ({ request }: Call, done: Callback) => {
    const { __defaults: _, ...inputs } = plain(request.getNews());
    const response = new messages.CheckResponse();
    response.setInputs(wire(inputs));
    done(null, response);
  },
  diff: ({ request }: Call, done: Callback) => {
    const [before, after] = [plain(request.getOldInputs()), plain(request.getNews())];
    const { kind } = object(after);
    const [old, now] = [object(before).metadata, object(after).metadata];
    const moved = old.name !== now.name || old.namespace !== now.namespace;
    const replaces = fixed(kind).filter((path) => !isDeepStrictEqual(at(before, path), at(after, path)));
    const response = new messages.DiffResponse();
    const changed = Object.keys({ ...before, ...after }).filter((key) => !isDeepStrictEqual(before[key], after[key]));
    response.setDiffsList(changed);
    response.setReplacesList(moved ? [...replaces, "metadata.name"] : replaces);
    response.setDeletebeforereplace(!moved);
    const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
    response.setChanges(changed.length === 0 ? DIFF_NONE : DIFF_SOME);
    done(null, response);
  },
  create: answered(async ({ request }) => {
    const inputs = plain(request.getProperties());
    const live = request.getPreview() ? inputs : await apply(object(inputs));
    const response = new messages.CreateResponse();
    if (!request.getPreview()) response.setId(idOf(object(live as Properties)));
    response.setProperties(wire(live));
    return response;
  }),
  update: answered(async ({ request }) => {
    const inputs = plain(request.getNews());
    const known = request.getPreview() ? { ...plain(request.getOlds()), ...inputs } : await apply(object(inputs));
    const response = new messages.UpdateResponse();
    response.setProperties(wire(known));
    return response;
  }),
  read: answered(async ({ request }) => {
    const inputs = plain(request.getInputs());
    const live = await read(object(hasUnknown(inputs) ? plain(request.getProperties()) : inputs));
    const response = new messages.ReadResponse();
    if (live === undefined) return response;
    response.setId(request.getId());
    response.setProperties(wire(live));
    response.setInputs(wire(declaredOf(inputs, live) as Properties));
    return response;
  }),
  delete: answered(async ({ request }) => {
    await remove(object(plain(request.getProperties())));
    return new empty.Empty();
  }),
  cancel: (_call: Call, done: Callback) => done(null, new empty.Empty()),
  attach: (_call: Call, done: Callback) => done(null, new empty.Empty()),
  getPluginInfo: (_call: Call, done: Callback) => {
    const response = new plugin.PluginInfo();
    response.setVersion("4.34.2");
    done(null, response);
  },
};

/** The handlers of the service `pulumirpc.ResourceProvider`; what is not here answers that it is not implemented. */
export const standIn = handlers as unknown as grpc.UntypedServiceImplementation;

/** What is live now of all that was declared: a difference from the declaration is drift. Secrets are stored otherwise than they are given. */
function declaredOf(declared: unknown, live: unknown): unknown {
  if (Array.isArray(declared)) {
    return Array.isArray(live) && live.length === declared.length
      ? declared.map((item, index) => declaredOf(item, live[index]))
      : live;
  }
  if (typeof declared !== "object" || declared === null) return live;
  const found = (live ?? {}) as Properties;
  const entries = Object.entries(declared).map(([key, item]) => {
    if (key === "stringData") return [key, item];
    // An empty collection is not kept by the API server.
    const empty = typeof item === "object" && item !== null && Object.keys(item).length === 0;
    return [key, found[key] === undefined && empty ? item : declaredOf(item, found[key])];
  });
  return Object.fromEntries(entries);
}

function idOf({ metadata: { name, namespace } }: KubernetesObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function answered(work: (call: Call) => Promise<unknown>): (call: Call, done: Callback) => void {
  return (call, done) => {
    work(call).then(
      (response) => done(null, response),
      (error: Error) => done(Object.assign(new Error(error.message), { code: grpc.status.UNKNOWN })),
    );
  };
}

function unimplemented(_call: Call, done: Callback): void {
  done(Object.assign(new Error("not implemented"), { code: grpc.status.UNIMPLEMENTED }));
}
