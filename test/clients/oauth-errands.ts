import { execFile } from "node:child_process";
import { join } from "node:path";
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as HttpV2,
  SSEClientTransport as SseV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport as SseV1 } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { decodeJwt } from "jose";
import { comeBack } from "../support/login.ts";

/** What a client that knows nothing but a URL is to do there; a person approves whatever it asks for. */
export interface Errand {
  readonly url: string;
  readonly transport: "http" | "sse";
  /** Registers without refresh tokens. */
  readonly refreshless?: boolean;
  readonly calls: readonly {
    readonly tool: string;
    /** Only after the access token has expired. */
    readonly expired?: boolean;
  }[];
}

/** A real client: does the errand, and tells for each call the beginning of the answer or what went wrong. */
export type Errands = (errand: Errand) => Promise<readonly string[]>;

/** How a tool's answer begins. */
export const counted = '{"count":';
const callback = "http://127.0.0.1:9/callback";

/** Credentials in memory, and a person with a browser, as both TypeScript SDKs want them. */
class Person {
  readonly redirectUrl = callback;
  readonly clientMetadata = {
    client_name: "errands",
    application_type: "native",
    redirect_uris: [callback],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  /** Where the browser came back. */
  back: Promise<URL> | undefined;
  #client: unknown;
  #tokens: { readonly access_token: string } | undefined;
  #verifier = "";
  #discovered: unknown;

  constructor({ refreshless = false }: Errand) {
    if (refreshless) this.clientMetadata.grant_types.pop();
  }

  clientInformation = (): never => this.#client as never;
  saveClientInformation = (client: unknown): void => {
    this.#client = client;
  };
  tokens = (): never => this.#tokens as never;
  saveTokens = (tokens: { readonly access_token: string }): void => {
    this.#tokens = tokens;
  };
  saveCodeVerifier = (verifier: string): void => {
    this.#verifier = verifier;
  };
  codeVerifier = (): string => this.#verifier;
  saveDiscoveryState = (state: unknown): void => {
    this.#discovered = state;
  };
  discoveryState = (): never => this.#discovered as never;
  redirectToAuthorization = (page: URL): void => {
    this.back = comeBack(page, callback);
  };

  async expiry(): Promise<void> {
    const end = (decodeJwt(this.#tokens?.access_token ?? "").exp as number) * 1000;
    while (Date.now() <= end) await new Promise((resolve) => setTimeout(resolve, end + 1 - Date.now()));
  }
}

interface Client {
  callTool(call: { name: string; arguments: object }): Promise<{ content?: unknown }>;
  close(): Promise<void>;
}
interface Open {
  readonly client: Client;
  readonly connected: Promise<void>;
  readonly finish: (answer: URLSearchParams) => Promise<void>;
}
type Connect = (person: Person, errand: Errand) => Open;

/** Does something, and once more after a login if one is needed. */
async function withLogin<T>(person: Person, finish: Open["finish"], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const back = await person.back;
    if (back === undefined) throw error;
    person.back = undefined;
    await finish(back.searchParams);
    return work();
  }
}

const typeScript =
  (connect: Connect): Errands =>
  async (errand) => {
    const person = new Person(errand);
    let open = connect(person, errand);
    const login = <T>(work: () => Promise<T>) => withLogin(person, (answer) => open.finish(answer), work);
    let tries = 0;
    try {
      await login(() => {
        // A transport starts once.
        if (tries > 0) open = connect(person, errand);
        tries += 1;
        return open.connected;
      });
      const said: string[] = [];
      for (const { tool, expired } of errand.calls) {
        if (expired) await person.expiry();
        const { content } = await login(() => open.client.callTool({ name: tool, arguments: {} }));
        said.push((content as { text: string }[])[0]?.text.slice(0, counted.length) ?? "");
      }
      return said;
    } catch (error) {
      return [String(error)];
    } finally {
      await open.client.close();
    }
  };

/** `@modelcontextprotocol/sdk`. */
export const typeScriptV1: Errands = typeScript((authProvider, { url, transport: kind }) => {
  const client = new ClientV1({ name: "v1", version: "1" });
  const options = { authProvider: authProvider as never };
  const transport = kind === "sse" ? new SseV1(new URL(url), options) : new HttpV1(new URL(url), options);
  const finish = (answer: URLSearchParams) => transport.finishAuth(answer.get("code") as string);
  return { client: client as Client, finish, connected: client.connect(transport as never) };
});

/** `@modelcontextprotocol/client`. */
export const typeScriptV2: Errands = typeScript((authProvider, { url, transport: kind }) => {
  const mode = kind === "sse" ? "legacy" : "auto";
  const client = new ClientV2({ name: "v2", version: "1" }, { versionNegotiation: { mode } });
  const options = { authProvider: authProvider as never };
  const transport = kind === "sse" ? new SseV2(new URL(url), options) : new HttpV2(new URL(url), options);
  const finish = (answer: URLSearchParams) => transport.finishAuth(answer);
  return { client: client as Client, finish, connected: client.connect(transport) };
});

/** A client in Python, in a process of its own. */
export const python =
  (client: "sdk" | "fastmcp"): Errands =>
  (errand) =>
    new Promise((resolve, reject) => {
      const args = [join(import.meta.dirname, "python-oauth.py"), client, JSON.stringify(errand)];
      execFile(process.env.MCP_PYTHON as string, args, (error, stdout, stderr) => {
        if (error !== null) reject(new Error(`${error.message}\n${stderr}`));
        else resolve(JSON.parse(stdout));
      });
    });
