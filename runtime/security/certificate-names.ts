/** The part of a certificate that says whose it is, as `tls.TLSSocket.getPeerCertificate` gives it. */
export interface CertificateNames {
  readonly subject?: { readonly CN?: unknown } | undefined;
  readonly subjectaltname?: string | undefined;
}

/** Kinds of alternative names, as configurations and Node.js write them, and the one form in which they are compared. */
const kinds: Readonly<Record<string, string>> = {
  dns: "DNS",
  uri: "URI",
  email: "email",
  ip: "IP",
  "ip address": "IP",
  dirname: "DirName",
  othername: "othername",
  "registered id": "RID",
};
const typed = /^([A-Za-z][A-Za-z ]*):(.*)$/s;

/**
 * The key under which the holder of a configured subject is looked up: `CN:` and a common name, a kind and an alternative
 * name, or, without a kind, a common name that counts only where the certificate has no alternative names.
 */
export function subjectKey(subject: string): string {
  const [, kind = "", name = ""] = typed.exec(subject) ?? [];
  if (kind.toUpperCase() === "CN") return `CN:${name}`;
  return keyOf(kind, name) ?? `only CN:${subject}`;
}

/**
 * The keys under which a certificate's holder is looked up, alternative names first. The common name is never read as an
 * alternative name. One that no kind was configured for counts only in a certificate without alternative names (RFC 6125,
 * 6.4.4; RFC 9525 gives it up), and not at all where there are several.
 */
export function certificateKeys({ subject, subjectaltname }: CertificateNames): readonly string[] {
  const names = alternativeNames(subjectaltname ?? "");
  const keys = names.flatMap((name) => {
    const [, kind = "", value = ""] = typed.exec(name) ?? [];
    return keyOf(kind, unquoted(value)) ?? [];
  });
  const common = subject?.CN;
  if (typeof common !== "string") return keys;
  return [
    ...keys,
    `CN:${common}`,
    ...(subjectaltname === undefined || subjectaltname === "" ? [`only CN:${common}`] : []),
  ];
}

/** Host names are compared without regard to case (RFC 4343). Undefined for a kind that is not known. */
function keyOf(kind: string, name: string): string | undefined {
  const known = kinds[kind.trim().toLowerCase()];
  if (known === undefined) return undefined;
  return `${known}:${known === "DNS" ? name.toLowerCase() : name}`;
}

/** The entries of a text such as `DNS:a.example, URI:"spiffe://a, DNS:b"`: a comma within quotes parts nothing. */
function alternativeNames(text: string): string[] {
  const entries: string[] = [];
  let begin = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted && character === "\\") at += 1;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === "," && text[at + 1] === " ") {
      entries.push(text.slice(begin, at));
      begin = at + 2;
    }
  }
  entries.push(text.slice(begin));
  return entries;
}

/** Node.js writes a name that could be read as several as a string of JSON (CVE-2021-44532). */
function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    // It stays as it is, which no configured name is.
    return value;
  }
}
