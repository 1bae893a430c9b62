import { X509Certificate } from "node:crypto";
import { type FSWatcher, readFileSync, watch } from "node:fs";
import type { Server } from "node:https";
import { dirname } from "node:path";
import { createSecureContext, type SecureContextOptions, type TlsOptions } from "node:tls";
import type { Logger } from "pino";
import type { Tls } from "../config/schema/index.ts";
import { FleetError, messageOf } from "../errors.ts";

/** Forward secrecy and authenticated encryption only (RFC 9325, section 4.2); TLS 1.3 has nothing else. */
const ciphers = [
  ...["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"],
  ...["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"],
  ...["ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
].join(":");
/** A certificate and its key are written one after the other. */
const settleMs = 200;

/** Options of the gateway's HTTPS server. Throws CONFIG_INVALID for files that cannot be read or do not fit together. */
export function tlsOptions(tls: Tls): TlsOptions {
  const context = readContext(tls);
  try {
    createSecureContext(context);
  } catch (error) {
    throw new FleetError(
      "CONFIG_INVALID",
      `gateway.tls: ${messageOf(error)}; give a certificate and its own key in PEM`,
    );
  }
  return {
    ...context,
    requestCert: tls.clientCaFile !== undefined,
    // Who has no certificate may have another credential, unless one is required.
    rejectUnauthorized: tls.requireClientCert === true,
  };
}

/** Tells when the certificate that is in force, or about to be, ends: seconds since the epoch. */
export const certificateExpiry =
  ({ certFile }: Tls): (() => number) =>
  () =>
    Date.parse(new X509Certificate(read("certFile", certFile)).validTo) / 1000;

/** Takes over files that change while the server runs; connections that are open keep what they have. */
export function followTls(server: Server, tls: Tls, log: Logger): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let current = JSON.stringify(readContext(tls));
  const apply = () => {
    try {
      const context = readContext(tls);
      const next = JSON.stringify(context);
      if (next === current) return;
      server.setSecureContext(context);
      current = next;
      log.info("TLS: the new certificate is in force");
    } catch (error) {
      log.error({ err: error }, "TLS: the new files cannot be used; the certificate in force stays");
    }
  };
  // Folders, because Kubernetes and ACME clients replace files instead of writing into them.
  const files = [tls.certFile, tls.keyFile, tls.clientCaFile].filter((file) => file !== undefined);
  const watchers: FSWatcher[] = [...new Set(files.map((file) => dirname(file)))].map((folder) =>
    watch(folder, () => {
      clearTimeout(timer);
      timer = setTimeout(apply, settleMs).unref();
    }),
  );
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

function readContext({ certFile, keyFile, clientCaFile, minVersion = "TLSv1.2" }: Tls): SecureContextOptions {
  return {
    cert: read("certFile", certFile),
    key: read("keyFile", keyFile),
    ...(clientCaFile === undefined ? {} : { ca: read("clientCaFile", clientCaFile) }),
    minVersion,
    ciphers,
    honorCipherOrder: true,
  };
}

function read(key: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new FleetError(
      "CONFIG_INVALID",
      `gateway.tls.${key}: ${file} cannot be read (${messageOf(error)}); correct the path`,
    );
  }
}
