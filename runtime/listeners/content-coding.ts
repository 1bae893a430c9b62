import { createBrotliDecompress, createGunzip, createZstdDecompress } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { FleetError } from "../errors.ts";
import { codingFor, codings, encodePayload } from "../performance/index.ts";

const decoders = { zstd: createZstdDecompress, br: createBrotliDecompress, gzip: createGunzip };
/** Answers from so many bytes on are compressed: below, the headers and the time cost more than is saved. */
const compressFrom = 1024;

/**
 * Content codings of everything that is not MCP: request bodies may be compressed, and answers are for clients that take
 * that. Each answer says in `Accept-Encoding` what may be sent (RFC 9110, 12.5.3). The limit of the body holds for what
 * comes out of the decoder.
 */
export function addContentCoding(app: FastifyInstance): void {
  app.addHook("preParsing", async (request, _reply, payload) => {
    const coding = request.headers["content-encoding"];
    if (coding === undefined || coding === "identity") return payload;
    const decoder = decoders[coding as keyof typeof decoders];
    if (decoder === undefined) {
      const fix = `send one of ${codings.join(", ")}, or no Content-Encoding`;
      throw new FleetError("MEDIA_TYPE", `Content-Encoding: "${coding}" is not understood; ${fix}`);
    }
    delete request.headers["content-encoding"];
    delete request.headers["content-length"];
    return payload.pipe(decoder());
  });
  app.addHook("onSend", async (request, reply, payload) => {
    reply.header("accept-encoding", codings.join(", "));
    if (typeof payload !== "string" || payload.length < compressFrom || reply.hasHeader("content-encoding"))
      return payload;
    reply.header("vary", "accept-encoding");
    const coding = codingFor(request.headers["accept-encoding"] as string | undefined);
    if (coding === undefined) return payload;
    reply.header("content-encoding", coding).removeHeader("content-length");
    return encodePayload(payload, coding);
  });
}
