import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** Records of a zone: A records by name, and SRV records by name. */
export interface Zone {
  readonly a?: Readonly<Record<string, readonly string[]>>;
  readonly srv?: Readonly<
    Record<string, readonly { priority: number; weight: number; port: number; target: string }[]>
  >;
}

const types = { a: 1, srv: 33 };

/** A name server on UDP (RFC 1035) for one zone, which a test may change. */
export class NameServer {
  zone: Zone = {};
  queries = 0;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (query, { address, port }) => {
      this.queries += 1;
      socket.send(this.#answer(query), port, address);
    });
  }

  static async start(): Promise<NameServer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new NameServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  #answer(query: Buffer): Buffer {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] as number; length > 0; length = query[at] as number) {
      labels.push(query.toString("latin1", at + 1, at + 1 + length));
      at += 1 + length;
    }
    const question = query.subarray(12, at + 5);
    const type = query.readUInt16BE(at + 1);
    const records = this.#records(labels.join(".").toLowerCase(), type);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // A response to a recursive query, without an error.
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const answers = records.map((data) => {
      const head = Buffer.alloc(12);
      // The name is the one of the question, by a pointer to it.
      head.writeUInt16BE(0xc00c, 0);
      head.writeUInt16BE(type, 2);
      head.writeUInt16BE(1, 4);
      head.writeUInt32BE(1, 6);
      head.writeUInt16BE(data.length, 10);
      return Buffer.concat([head, data]);
    });
    return Buffer.concat([header, question, ...answers]);
  }

  #records(name: string, type: number): Buffer[] {
    if (type === types.a) return (this.zone.a?.[name] ?? []).map((ip) => Buffer.from(ip.split(".").map(Number)));
    if (type !== types.srv) return [];
    return (this.zone.srv?.[name] ?? []).map(({ priority, weight, port, target }) => {
      const head = Buffer.alloc(6);
      head.writeUInt16BE(priority, 0);
      head.writeUInt16BE(weight, 2);
      head.writeUInt16BE(port, 4);
      const labels = target.split(".").map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
      return Buffer.concat([head, ...labels, Buffer.from([0])]);
    });
  }
}
