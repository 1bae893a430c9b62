import { createServer, type Server, type Socket } from "node:net";
import { traitsOf } from "../faults.ts";
import type { Desk, Message, Order, Step } from "./desk.ts";
import { type HttpRequest, onRequests } from "./http-request.ts";
import { play } from "./play.ts";
import { response } from "./play-http.ts";
import { write } from "./write.ts";

const eventHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const jsonHead = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

/** The answer to one POST. */
class HttpAnswer {
  readonly #socket: Socket;
  readonly #stream: boolean;
  readonly #headers: string;
  /** Chunks are under way. */
  #begun = false;
  /** So is an event. */
  #within = false;

  constructor(socket: Socket, stream: boolean, headers: string) {
    this.#socket = socket;
    this.#stream = stream;
    this.#headers = headers;
  }

  async take(step: Exclude<Step, { aside: string } | { unread: number }>): Promise<void> {
    if ("end" in step) {
      if (step.end === "half") this.#socket.end();
      else this.#socket.resetAndDestroy();
    } else if ("raw" in step) await write(this.#socket, step.raw);
    else if ("piece" in step) {
      await this.#chunk(this.#stream && !this.#within ? `data: ${step.piece}` : step.piece);
      this.#within = true;
    } else await this.#say(step.say);
  }

  /** The server has said all. */
  async finish(): Promise<void> {
    if (this.#begun) await write(this.#socket, "0\r\n\r\n");
    this.#begun = false;
  }

  async #say(text: string | Buffer): Promise<void> {
    const bytes = Buffer.from(text);
    if (this.#stream) {
      const start = this.#within ? "" : "data: ";
      this.#within = false;
      return this.#chunk(Buffer.concat([Buffer.from(start), bytes, Buffer.from("\n\n")]));
    }
    if (!this.#within) {
      const head = response("", this.#headers).replace("content-length: 0", `content-length: ${bytes.length}`);
      return write(this.#socket, Buffer.concat([Buffer.from(head), bytes]));
    }
    this.#within = false;
    if (bytes.length > 0) await this.#chunk(bytes);
    await this.finish();
  }

  async #chunk(piece: string | Buffer): Promise<void> {
    const bytes = Buffer.from(piece);
    if (!this.#begun) await write(this.#socket, this.#stream ? eventHead : jsonHead);
    this.#begun = true;
    await write(
      this.#socket,
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]),
    );
  }
}

/** Streamable HTTP of either era. */
class HttpPlayer {
  readonly #desk: Desk;
  /** Open GET streams. */
  readonly #streams = new Set<Socket>();
  #sessions = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async take(socket: Socket, closed: Promise<void>, { method, body }: HttpRequest): Promise<void> {
    if (method === "GET" && this.#desk.era === "session") return this.#listen(socket);
    if (method !== "POST") return void socket.write(response("", "", "405 Method Not Allowed"));
    const message = JSON.parse(body) as Message;
    if (message.method === undefined) this.#desk.answered(message);
    if (message.method === undefined || message.id === undefined) {
      return void socket.write(response("", "", "202 Accepted"));
    }
    const fault = (message.params?.arguments as Order | undefined)?.fault;
    const listens = message.method === "subscriptions/listen";
    const streams = listens || (fault && traitsOf(fault).stream) || (fault && Number(message.id) % 2 === 1) || false;
    const answer = new HttpAnswer(socket, streams, this.#headersFor(message));
    for await (const step of play({ desk: this.#desk, multiplexed: false, closed }, message)) {
      if (socket.destroyed) return;
      if ("aside" in step) for (const stream of this.#streams) stream.write(chunked(`data: ${step.aside}\n\n`));
      else if (!("unread" in step)) await answer.take(step);
    }
    await answer.finish();
  }

  #headersFor({ method }: Message): string {
    if (method !== "initialize") return "";
    this.#sessions += 1;
    return `mcp-session-id: s-${this.#sessions}\r\n`;
  }

  #listen(socket: Socket): void {
    this.#streams.add(socket);
    socket.on("close", () => this.#streams.delete(socket));
    socket.write(eventHead);
  }
}

const chunked = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

/** A bare HTTP server, on a free port: a proper one would not let these answers out. */
export function bareHttp(take: (socket: Socket, closed: Promise<void>, request: HttpRequest) => Promise<void>): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.setMaxListeners(0);
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("end", () => socket.end()).on("error", () => {});
    onRequests(socket, (request) => void take(socket, closed, request));
  });
  return server.listen(0, "127.0.0.1");
}

/** Over Streamable HTTP, on a free port. */
export function overHttp(desk: Desk): Server {
  const player = new HttpPlayer(desk);
  return bareHttp((socket, closed, request) => player.take(socket, closed, request));
}
