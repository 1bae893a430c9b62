import { isDeepStrictEqual } from "node:util";
import * as grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";

export type Properties = Record<string, unknown>;

/** A resource after an operation. */
export interface Standing {
  readonly id: string;
  readonly outputs: Properties;
}

/** What a stand-in can do with one type of resource; whatever changes, the resource is replaced. */
export interface Kind {
  /** Does the provider choose a name where none is given? */
  readonly autonamed: boolean;
  create(inputs: Properties): Promise<Standing>;
  /** Undefined when it has gone. */
  read(id: string, outputs: Properties): Promise<Standing | undefined>;
  delete(id: string, outputs: Properties): Promise<void>;
}

interface Struct {
  toJavaScript(): Properties;
}
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
type Call = { readonly request: Request };
type Callback = (error: Error | null, response?: unknown) => void;

const plain = (value: Struct | undefined): Properties => value?.toJavaScript() ?? {};
const wire = (value: object) => struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(value)));

/**
 * Serves a stand-in for a provider plugin that this machine cannot get, over the protocol of plugins: the real Pulumi
 * engine asks it for the same operations. It takes no marked secrets, so the engine itself keeps them in the state.
 */
export function serve(name: string, version: string, kinds: Readonly<Record<string, Kind>>): void {
  const kindOf = ({ request }: Call): Kind => {
    const type = request.getUrn().split("::")[2]?.split("$").at(-1) as string;
    const kind = kinds[type];
    if (kind === undefined) throw new Error(`the stand-in for ${name} knows no ${type}`);
    return kind;
  };
  const handlers = {
    getSchema: answered(async () => {
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name }));
      return response;
    }),
    checkConfig: answered(async ({ request }) => checked(request.getNews())),
    diffConfig: answered(async () => new messages.DiffResponse()),
    configure: answered(async () => {
      const response = new messages.ConfigureResponse();
      response.setSupportspreview(true);
      return response;
    }),
    check: answered(async (call) => {
      const { __defaults: _, ...inputs } = plain(call.request.getNews());
      const resource = call.request.getUrn().split("::").at(-1);
      const name = plain(call.request.getOlds()).name ?? `${resource}-${Math.random().toString(16).slice(2, 9)}`;
      const named = kindOf(call).autonamed && inputs.name === undefined;
      return checked(wire(named ? { ...inputs, name } : inputs) as unknown as Struct);
    }),
    diff: answered(async ({ request }) => {
      const { name: before, ...olds } = plain(request.getOldInputs());
      const { name: after, ...news } = plain(request.getNews());
      const keys = Object.keys({ ...olds, ...news }).filter((key) => !isDeepStrictEqual(olds[key], news[key]));
      const changed = before === after ? keys : [...keys, "name"];
      const response = new messages.DiffResponse();
      response.setDiffsList(changed);
      response.setReplacesList(changed);
      const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
      response.setChanges(changed.length === 0 ? DIFF_NONE : DIFF_SOME);
      return response;
    }),
    create: answered(async (call) => {
      const inputs = plain(call.request.getProperties());
      const response = new messages.CreateResponse();
      if (call.request.getPreview()) {
        response.setProperties(wire(inputs));
        return response;
      }
      const { id, outputs } = await kindOf(call).create(inputs);
      response.setId(id);
      response.setProperties(wire({ ...inputs, ...outputs }));
      return response;
    }),
    read: answered(async (call) => {
      const { request } = call;
      const response = new messages.ReadResponse();
      const found = await kindOf(call).read(request.getId(), plain(request.getProperties()));
      if (found === undefined) return response;
      response.setId(found.id);
      response.setInputs(request.getInputs() as never);
      response.setProperties(wire({ ...plain(request.getProperties()), ...found.outputs }));
      return response;
    }),
    delete: answered(async (call) => {
      await kindOf(call).delete(call.request.getId(), plain(call.request.getProperties()));
      return new empty.Empty();
    }),
    cancel: answered(async () => new empty.Empty()),
    attach: answered(async () => new empty.Empty()),
    getPluginInfo: answered(async () => {
      const response = new plugin.PluginInfo();
      response.setVersion(version);
      return response;
    }),
  };
  const server = new grpc.Server();
  const service = services.ResourceProviderService as unknown as grpc.ServiceDefinition;
  server.addService(service, handlers as unknown as grpc.UntypedServiceImplementation);
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    // The engine reads the port from the first line.
    process.stdout.write(`${port}\n`);
  });
}

function checked(inputs: Struct | undefined): unknown {
  const response = new messages.CheckResponse();
  response.setInputs(inputs as never);
  return response;
}

function answered(work: (call: Call) => Promise<unknown>): (call: Call, done: Callback) => void {
  return (call, done) => {
    work(call).then(
      (response) => done(null, response),
      (error: Error) => done(Object.assign(new Error(error.message), { code: grpc.status.UNKNOWN })),
    );
  };
}
