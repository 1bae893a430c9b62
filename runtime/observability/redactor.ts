/** Takes the place of a secret. */
const redacted = "[redacted]";
/** Secrets of before that are still taken out: what drains uses them. The oldest one goes first. */
const maxFormer = 500;
/** Pieces of Base64 below this length are in texts that have nothing to do with them. */
const minBase64 = 10;

/**
 * Takes secrets out of texts, in every form in which they get there: as they are, escaped in JSON (also twice), in a URL or a host name,
 * and in Base64 at any place of what was encoded, as `user:password` is. The last line of defence: what is written should
 * not hold secrets in the first place.
 */
export class Redactor {
  readonly #secrets: () => readonly string[];
  readonly #forms = new Map<string, readonly string[]>();

  /** `secrets` are asked for each text, because tokens come and go. */
  constructor(secrets: () => readonly string[]) {
    this.#secrets = secrets;
  }

  clean(text: string): string {
    const secrets = this.#secrets();
    this.#learn(secrets);
    let clean = text;
    for (const forms of this.#forms.values()) {
      for (const form of forms) if (clean.includes(form)) clean = clean.replaceAll(form, redacted);
    }
    return clean;
  }

  /** Keeps the forms of every secret that is in force, and of some of before. */
  #learn(secrets: readonly string[]): void {
    let added = false;
    for (const secret of secrets) {
      if (secret === "" || this.#forms.has(secret)) continue;
      this.#forms.set(secret, formsOf(secret));
      added = true;
    }
    if (!added || this.#forms.size <= secrets.length + maxFormer) return;
    const inForce = new Set(secrets);
    for (const known of this.#forms.keys()) {
      if (this.#forms.size <= secrets.length + maxFormer) break;
      if (!inForce.has(known)) this.#forms.delete(known);
    }
  }
}

/** Longest first, so that none leaves a part of another one. */
function formsOf(secret: string): readonly string[] {
  const forms = new Set([secret, escaped(secret), escaped(escaped(secret)), inAscii(escaped(secret))]);
  // Names of hosts are looked up in lower case.
  if (/^[A-Za-z0-9.-]+$/.test(secret)) forms.add(secret.toLowerCase());
  // Parts of pairs of surrogates have no form in UTF-8.
  if (secret.isWellFormed()) {
    for (const encode of [encodeURIComponent, encodeURI, formEncoded]) {
      forms.add(encode(secret));
      forms.add(encode(secret).replace(/%[0-9A-F]{2}/g, (octet) => octet.toLowerCase()));
    }
    for (const piece of base64Pieces(secret)) forms.add(piece);
  }
  return [...forms].sort((one, other) => other.length - one.length);
}

const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);
/** As JSON libraries write that leave nothing but ASCII. */
const inAscii = (json: string): string =>
  json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
const formEncoded = (text: string): string => new URLSearchParams({ "": text }).toString().slice(1);

/** What is always there of the secret in Base64 and Base64url, whatever stands before and behind it. */
function* base64Pieces(secret: string): Generator<string> {
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    // Characters that also hold bits of what stands around it are left out.
    const from = Math.ceil((before * 8) / 6);
    const piece = bytes.toString("base64").slice(from, Math.floor((bytes.length * 8) / 6));
    if (piece.length < minBase64) continue;
    yield piece;
    yield piece.replaceAll("+", "-").replaceAll("/", "_");
  }
}
