import * as grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";

/** Inputs or outputs of a resource. */
export type Properties = Record<string, unknown>;

/** A structure as the protocol carries it. */
export interface Struct {
  toJavaScript(): Properties;
}

/** What the engine asks; which of these a question has depends on its kind. */
export interface Request {
  getUrn(): string;
  getId(): string;
  getTok(): string;
  getPreview(): boolean;
  /** In seconds; 0 where nothing is said. */
  getTimeout(): number;
  getIgnorechangesList(): string[];
  getArgs(): Struct | undefined;
  getNews(): Struct | undefined;
  getOlds(): Struct | undefined;
  getOldInputs(): Struct | undefined;
  getInputs(): Struct | undefined;
  getProperties(): Struct | undefined;
}

/** Answers one kind of question; a rejection is told to the user. */
export type Handler = (request: Request) => Promise<unknown>;

/** What stands for a value that is not known before the update (resource.UnknownStringValue of Pulumi's SDK). */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
export const plain = (value: Struct | undefined): Properties => value?.toJavaScript() ?? {};
export const wire = (value: object) => struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(value)));
export const nothing = () => new empty.Empty();

/** The answer to a check: inputs that the engine takes as they are, and what is wrong with them. */
export function checked(inputs: Struct | undefined, problems: readonly string[] = []): unknown {
  const response = new messages.CheckResponse();
  response.setFailuresList(
    problems.map((reason) => {
      const failure = new messages.CheckFailure();
      failure.setReason(reason);
      return failure;
    }),
  );
  response.setInputs(inputs as never);
  return response;
}

/** The answer to a comparison: what has changed, and which of that cannot be changed in place. */
export function compared(changed: readonly string[], replaces: readonly string[], deleteFirst = false): unknown {
  const response = new messages.DiffResponse();
  response.setDiffsList([...changed]);
  response.setReplacesList([...replaces]);
  response.setDeletebeforereplace(deleteFirst);
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(changed.length === 0 ? DIFF_NONE : DIFF_SOME);
  return response;
}

/** The answer to the creation of a resource; before an update it has no id yet. */
export function created(id: string | undefined, properties: object): unknown {
  const response = new messages.CreateResponse();
  if (id !== undefined) response.setId(id);
  response.setProperties(wire(properties));
  return response;
}

/** The answer to a change in place. */
export function updated(properties: object): unknown {
  const response = new messages.UpdateResponse();
  response.setProperties(wire(properties));
  return response;
}

/** The answer to a refresh; without anything the resource has gone. */
export function found(live?: { readonly id: string; readonly inputs: object; readonly properties: object }): unknown {
  const response = new messages.ReadResponse();
  if (live === undefined) return response;
  response.setId(live.id);
  response.setInputs(wire(live.inputs));
  response.setProperties(wire(live.properties));
  return response;
}

/** The answer to the configuration: previews are asked for, too. */
export function configured(): unknown {
  const response = new messages.ConfigureResponse();
  response.setSupportspreview(true);
  return response;
}

/** Something that was made or changed and does not work: the engine keeps its state, and tells the reasons. */
export class PartialFailure extends Error {
  readonly metadata = new grpc.Metadata();

  constructor(message: string, id: string, properties: object, reasons: readonly string[]) {
    super(message);
    const detail = new messages.ErrorResourceInitFailed();
    detail.setId(id);
    detail.setProperties(wire(properties));
    detail.setReasonsList([...reasons]);
    const details = new any.Any();
    details.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const told = new status.Status();
    told.setCode(grpc.status.UNKNOWN);
    told.setMessage(message);
    told.addDetails(details);
    this.metadata.add("grpc-status-details-bin", Buffer.from(told.serializeBinary()));
  }
}

/** The answer to a look-up. */
export function looked(value: object): unknown {
  const response = new messages.InvokeResponse();
  response.setReturn(wire(value));
  return response;
}

/**
 * Serves a stand-in for a provider plugin that this machine cannot get, over the protocol of plugins
 * (pulumirpc.ResourceProvider): the real Pulumi engine asks it for the same operations. It takes no marked secrets, so the
 * engine itself keeps them in the state. A question without a handler is answered as not implemented.
 */
export function serveProvider(name: string, version: string, handlers: Readonly<Record<string, Handler>>): void {
  const usual: Readonly<Record<string, Handler>> = {
    getSchema: async () => {
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name }));
      return response;
    },
    checkConfig: async (request) => checked(request.getNews()),
    diffConfig: async () => new messages.DiffResponse(),
    configure: async () => configured(),
    cancel: async () => nothing(),
    attach: async () => nothing(),
    getPluginInfo: async () => {
      const response = new plugin.PluginInfo();
      response.setVersion(version);
      return response;
    },
  };
  const all = Object.entries({ ...usual, ...handlers }).map(([kind, handler]) => [kind, answered(handler)]);
  const server = new grpc.Server();
  const service = services.ResourceProviderService as unknown as grpc.ServiceDefinition;
  server.addService(service, Object.fromEntries(all) as grpc.UntypedServiceImplementation);
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    // The engine reads the port from the first line.
    process.stdout.write(`${port}\n`);
  });
}

type Callback = (error: Error | null, response?: unknown) => void;

function answered(handler: Handler): (call: { readonly request: Request }, done: Callback) => void {
  return ({ request }, done) => {
    handler(request).then(
      (response) => done(null, response),
      (error: Error) => {
        const metadata = error instanceof PartialFailure ? { metadata: error.metadata } : {};
        done(Object.assign(new Error(error.message), { code: grpc.status.UNKNOWN, ...metadata }));
      },
    );
  };
}
