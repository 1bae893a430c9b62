import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An authority and what it signs, made by openssl in a folder of its own. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), "certificates-"));
  readonly ca = join(this.folder, "ca.crt");

  constructor() {
    this.#key("ca");
    this.#openssl(
      "req",
      "-x509",
      "-new",
      "-key",
      "ca.key",
      "-subj",
      "/CN=test authority",
      "-days",
      "2",
      "-out",
      "ca.crt",
    );
  }

  /** A certificate for a common name, good for localhost and 127.0.0.1, and its key; the files of the same `file` are replaced. */
  sign(file: string, name: string, more = ""): { readonly cert: string; readonly key: string } {
    this.#key(file);
    const extensions = `subjectAltName=DNS:localhost,IP:127.0.0.1${more}\nextendedKeyUsage=serverAuth,clientAuth\n`;
    writeFileSync(join(this.folder, `${file}.ext`), extensions);
    this.#openssl("req", "-new", "-key", `${file}.key`, "-subj", `/CN=${name}`, "-out", `${file}.csr`);
    const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
    this.#openssl("x509", "-req", "-in", `${file}.csr`, ...authority, "-extfile", `${file}.ext`, "-out", `${file}.crt`);
    return { cert: join(this.folder, `${file}.crt`), key: join(this.folder, `${file}.key`) };
  }

  /** Leaves half a certificate where a whole one was. */
  spoil(file: string): void {
    writeFileSync(join(this.folder, `${file}.crt`), "-----BEGIN CERTIFICATE-----\n");
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #key(file: string): void {
    this.#openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${file}.key`);
  }

  #openssl(...args: string[]): void {
    execFileSync("openssl", args, { cwd: this.folder, stdio: "pipe" });
  }
}
