import { createServer, type Server, type Socket } from "node:net";
import { hasDoubleSpace } from "./request-line.ts";

/** The header must have come by then. */
const headerMs = 5000;
/** Longest header of version 1 (section 2.1 of the specification); version 2 says its length. */
const maxV1 = 107;
const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const v2Head = 16;
const maxV2 = v2Head + 4096;

/** Where a connection comes from, and what follows its header. */
interface ProxyHeader {
  /** Undefined for the proxy's own connections (`LOCAL`, `UNKNOWN`). */
  readonly address: string | undefined;
  readonly port: number;
  readonly length: number;
}

/**
 * A server in front of another one that reads the PROXY protocol (haproxy.org, versions 1 and 2) off each connection of a
 * trusted peer, and cuts it off when it says something else. Another peer is cut off, or served without a header: a client's
 * word about its own address is worth nothing.
 */
export function behindProxy(inner: Server, trusts: (address: string) => boolean, othersServed: boolean): Server {
  const outer = createServer((socket) => {
    if (!trusts(socket.remoteAddress ?? "")) {
      if (othersServed) inner.emit("connection", socket satisfies Socket);
      else socket.destroy();
      return;
    }
    let seen = Buffer.alloc(0);
    socket.setTimeout(headerMs, () => socket.destroy());
    socket.on("error", () => {});
    const read = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      const header = parse(seen);
      if (header === "more") return;
      socket.off("data", read);
      socket.pause();
      if (header === "wrong" || hasDoubleSpace(seen.subarray(header.length))) {
        socket.destroy();
        return;
      }
      socket.setTimeout(0);
      if (header.address !== undefined) {
        Object.defineProperty(socket, "remoteAddress", { value: header.address });
        Object.defineProperty(socket, "remotePort", { value: header.port });
      }
      if (seen.length > header.length) socket.unshift(seen.subarray(header.length));
      inner.emit("connection", socket satisfies Socket);
      // Once the HTTP server listens to it.
      process.nextTick(() => socket.resume());
    };
    socket.on("data", read);
  });
  // The HTTP server keeps account of its connections, and their deadlines, from the moment that it listens.
  outer.on("listening", () => inner.emit("listening"));
  outer.on("close", () => inner.close(() => {}));
  return outer;
}

function parse(bytes: Buffer): ProxyHeader | "more" | "wrong" {
  const begun = bytes.subarray(0, signature.length);
  if (begun.equals(signature.subarray(0, begun.length))) return bytes.length < v2Head ? "more" : parseV2(bytes);
  const end = bytes.indexOf("\r\n");
  if (end < 0) return bytes.length < maxV1 && "PROXY ".startsWith(bytes.toString("latin1", 0, 6)) ? "more" : "wrong";
  if (end + 2 > maxV1) return "wrong";
  const [word, family, source, , port] = bytes.toString("latin1", 0, end).split(" ");
  if (word !== "PROXY") return "wrong";
  if (family === "UNKNOWN") return { address: undefined, port: 0, length: end + 2 };
  if ((family !== "TCP4" && family !== "TCP6") || source === undefined || port === undefined) return "wrong";
  return { address: source, port: Number(port), length: end + 2 };
}

function parseV2(bytes: Buffer): ProxyHeader | "more" | "wrong" {
  const [version, family] = [bytes.readUInt8(12), bytes.readUInt8(13) >> 4];
  const length = v2Head + bytes.readUInt16BE(14);
  if (version >> 4 !== 2 || length > maxV2) return "wrong";
  if (bytes.length < length) return "more";
  // LOCAL, and families that have no address of the internet.
  if ((version & 15) === 0 || (family !== 1 && family !== 2)) return { address: undefined, port: 0, length };
  const size = family === 1 ? 4 : 16;
  if (length < v2Head + 2 * size + 4) return "wrong";
  const source = bytes.subarray(v2Head, v2Head + size);
  const address = family === 1 ? [...source].join(".") : (source.toString("hex").match(/.{4}/g) as string[]).join(":");
  return { address, port: bytes.readUInt16BE(v2Head + 2 * size), length };
}
