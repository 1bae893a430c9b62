import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, AwsApi } from "../engines/stand-ins/aws/api.ts";
import { freePort } from "./checkout.ts";

/** AWS's interface in a process of its own (moto): it keeps what it is told, checks much of it, and runs none of it. */
export class Moto {
  /** What says to programs where it is, and who calls. */
  readonly env: Readonly<Record<string, string>>;
  readonly #server: ChildProcess;
  readonly #api: AwsApi;

  private constructor(server: ChildProcess, env: Readonly<Record<string, string>>) {
    this.#server = server;
    this.env = env;
    this.#api = new AwsApi(env.MOTO_PYTHON as string, env);
  }

  /** Resolves when it answers; rejects after half a minute. */
  static async start(region: string): Promise<Moto> {
    const [python, port] = [process.env.MOTO_PYTHON as string, await freePort()];
    const program = "import sys; from moto.server import main; main(sys.argv[1:])";
    // AWS's own policies are there, as in any account.
    const settings = { ...process.env, MOTO_IAM_LOAD_MANAGED_POLICIES: "true" };
    const server = spawn(python, ["-c", program, "-H", "127.0.0.1", "-p", String(port)], {
      ...{ stdio: "ignore", env: settings },
    });
    const url = `http://127.0.0.1:${port}`;
    const env = { AWS_ENDPOINT_URL: url, AWS_REGION: region, AWS_DEFAULT_REGION: region, MOTO_PYTHON: python };
    const moto = new Moto(server, { ...env, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });
    for (let tries = 0; ; tries += 1) {
      const answers = await fetch(`${url}/moto-api/`).catch(() => undefined);
      if (answers?.ok === true) return moto;
      if (tries === 120) throw new Error("moto does not answer");
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** Calls an action of AWS by its name. */
  call(service: string, action: string, params: object = {}): Promise<Answer> {
    return this.#api.call(service, action, params);
  }

  /** Imports a certificate of this name, which nobody but this test trusts; resolves with its ARN. */
  async certificate(host: string): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "certificate-"));
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync("openssl", [...request, "-subj", `/CN=${host}`, "-keyout", key, "-out", certificate], {
      stdio: "ignore",
    });
    const [Certificate, PrivateKey] = [certificate, key].map((file) => readFileSync(file, "utf8"));
    rmSync(folder, { recursive: true });
    return (await this.call("acm", "ImportCertificate", { Certificate, PrivateKey })).CertificateArn;
  }

  /** Resolves when it has ended. */
  async close(): Promise<void> {
    const ended = once(this.#server, "exit");
    this.#server.kill();
    await Promise.all([ended, this.#api.close()]);
  }
}
