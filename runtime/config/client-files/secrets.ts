import { variableName } from "./placeholders.ts";

/** Names of variables and headers whose values are secrets. */
const secretName =
  /KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASSCODE|CREDENTIAL|AUTHORIZATION|COOKIES?$|(^|[_-])(AUTH|CREDS?|PASS|PIN|PW)$|[_-](PAT|PWD)$/i;
/** Options of commands whose values are; `--key-file` names a file. */
const secretOption = /^--?([a-z0-9]+[-_])*(api-?key|key|token|secret|password|passwd|credentials?|bearer|pat)$/i;
/** How keys of well-known services begin. */
const knownKey =
  /^(sk-|sk_|pk_live|rk_live|ghp_|gho_|ghu_|ghs_|github_pat_|glpat-|xox[abeprs]-|AKIA|AIza|ya29\.|npm_|hf_|tvly-|eyJ[\w-]+\.)/;
/** Addresses that let in everybody who knows them. */
const webhook = /^https:\/\/(hooks\.slack\.com\/|discord(app)?\.com\/api\/webhooks\/|[^/]*\.webhook\.office\.com\/)/i;
/** A reference with a value of its own for a variable that is not set. */
const defaulted = /\$\{(\w+):-[^}]+\}/g;
const withScheme = /^((?:Bearer|Basic|Token)\s+)(\S.*)$/is;
const header = /^([A-Za-z0-9_-]+):\s*(?:(Bearer|Basic|Token)\s+)?(.+)$/;
const optionsWithHeader = new Set(["-H", "--header", "--headers"]);
const optionsWithVariable = new Set(["-e", "--env"]);

/** Does the name of a variable or a header say that its value is a secret? */
export function namesSecret(name: string): boolean {
  return secretName.test(name);
}

/**
 * Takes the secrets out of the texts of one server: each becomes a reference to a variable, which the user is told to set.
 * What is a reference already stays.
 */
export class SecretKeeper {
  readonly #server: string;
  readonly #note: (text: string) => void;
  readonly #names = new Set<string>();

  constructor(server: string, note: (text: string) => void) {
    this.#server = server;
    this.#note = note;
  }

  /** A reference in place of a secret. `words` name the variable. */
  keep(value: string, ...words: readonly string[]): string {
    const plain = value.replace(defaulted, "${$1}");
    if (plain !== value) {
      this.#note(`a default for the secret in ${value.replace(defaulted, "${$1:-…}")} was not copied`);
      return plain;
    }
    if (value.includes("${") || value.startsWith("file:") || value === "") return value;
    const base = variableName(...words);
    let name = base;
    for (let count = 2; this.#names.has(name); count += 1) name = `${base}_${count}`;
    this.#names.add(name);
    this.#note(`set the environment variable ${name} for the gateway; its value was not copied`);
    return `\${${name}}`;
  }

  variable(name: string, value: string): string {
    const [, scheme, credential] = withScheme.exec(value) ?? [];
    if (scheme !== undefined && credential !== undefined) return scheme + this.keep(credential, name);
    return namesSecret(name) || knownKey.test(value) || webhook.test(value) ? this.keep(value, name) : this.url(value);
  }

  /** The arguments of a command, one after the other: an option may say what the next one is. */
  arguments(args: readonly string[]): readonly string[] {
    return args.map((arg, index) => this.#argument(arg, args[index - 1] ?? ""));
  }

  /** A URL may hold a password, or a key in its query; every other text stays. */
  url(text: string): string {
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !URL.canParse(text)) return text;
    const { password, searchParams } = new URL(text);
    let safe = text;
    if (password !== "") {
      const [whole, before, given] = /^([^/]*\/\/[^:@/]*:)([^@/]*)@/.exec(text) as unknown as [string, string, string];
      safe = `${before}${this.keep(given, this.#server, "password")}@${text.slice(whole.length)}`;
    }
    for (const name of searchParams.keys()) {
      if (!namesSecret(name)) continue;
      const pattern = new RegExp(`([?&]${name.replace(/[^\w-]/g, "\\$&")}=)([^&#]*)`);
      safe = safe.replace(pattern, (_, before, given) => `${before}${this.keep(given, this.#server, name)}`);
    }
    return safe;
  }

  #argument(arg: string, option: string): string {
    if (optionsWithHeader.has(option)) return this.#header(arg);
    if (optionsWithVariable.has(option)) return this.#assignment(arg, "");
    if (secretOption.test(option)) return this.keep(arg, this.#server, option);
    if (knownKey.test(arg)) return this.keep(arg, this.#server, "key");
    const [, name, value] = /^(--?[A-Za-z][\w-]*)=(.*)$/s.exec(arg) ?? [];
    if (name === undefined || value === undefined) return this.url(arg);
    if (optionsWithHeader.has(name)) return `${name}=${this.#header(value)}`;
    if (optionsWithVariable.has(name)) return this.#assignment(value, `${name}=`);
    if (secretOption.test(name) || knownKey.test(value)) return `${name}=${this.keep(value, this.#server, name)}`;
    return `${name}=${this.url(value)}`;
  }

  #assignment(text: string, before: string): string {
    const equals = text.indexOf("=");
    if (equals < 0) return before + text;
    const name = text.slice(0, equals);
    return `${before}${name}=${this.variable(name, text.slice(equals + 1))}`;
  }

  #header(text: string): string {
    const [, name, scheme, value] = header.exec(text) ?? [];
    if (name === undefined || value === undefined || !(namesSecret(name) || scheme)) return text;
    const start = text.slice(0, text.length - value.length);
    return start + this.keep(value, this.#server, scheme ? "token" : name);
  }
}
