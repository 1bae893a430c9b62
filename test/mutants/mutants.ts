/** One control taken out of the code, and the tests that must notice. */
export interface Mutant {
  /** What is taken out, as SECURITY.md names it. */
  readonly name: string;
  readonly file: string;
  /** A text that is there exactly once, and what stands there instead. */
  readonly from: string;
  readonly to: string;
  /** Tests that fail then: a path, and part of each one's name. */
  readonly path: string;
  readonly tests: string;
}

/** Controls that no setting switches off. What a setting does switch off is tried both ways by its own test. */
export const mutants: readonly Mutant[] = [
  {
    name: "token-signature",
    file: "runtime/security/token-issuer.ts",
    from: "const { payload, protectedHeader } = await jwtVerify(token, await this.#keySet(), {",
    to: 'const { payload, protectedHeader = { typ: undefined } } = (await import("jose")).UnsecuredJWT.decode(`${btoa(\'{"alg":"none"}\').replaceAll("=", "")}.${token.split(".")[1]}.`, {',
    path: "test/integration/oauth.test.ts",
    tests: "alg none, key confusion, a changed claim, an unknown key",
  },
  {
    name: "password-decoy",
    file: "runtime/security/passwords.ts",
    from: "const { cost, salt, hash } = entry?.stored ?? this.#decoy;",
    to: "if (entry === undefined) return undefined;\n    const { cost, salt, hash } = entry.stored;",
    path: "test/runtime/security/authenticator.test.ts",
    tests: "an unknown name costs the same hash as a wrong password",
  },
  {
    name: "session-seal",
    file: "runtime/protocol/sealer.ts",
    from: 'undefined, "utf8") + decipher.final("utf8")',
    to: 'undefined, "utf8")',
    path: "test/runtime/protocol/sealed-session.test.ts",
    tests: "every changed character is noticed",
  },
  {
    name: "session-caller",
    file: "runtime/protocol/session-table.ts",
    from: "claims.server !== server || claims.caller !== caller",
    to: "claims.server !== server",
    path: "test/runtime/protocol/session-table.test.ts",
    tests: "a session is found by its id, at its own path, by its own caller only",
  },
  {
    name: "description-flaws",
    file: "runtime/security/integrity/definition.ts",
    from: 'return flawIn(tool, "", maxChars, 0);',
    to: "return undefined;",
    path: "test/integration/tool-integrity.test.ts",
    tests: "takes a tool out, whatever the mode",
  },
  {
    name: "strict-parser",
    file: "runtime/listeners/http-server.ts",
    from: "insecureHTTPParser: false",
    to: "insecureHTTPParser: true",
    path: "test/integration/transport-security.test.ts",
    tests: "(a length and chunks|an encoding after chunked).*: refused, and what hides behind it is not answered",
  },
  {
    name: "log-redaction",
    file: "runtime/observability/logger.ts",
    from: "withoutSecrets(line, secrets())",
    to: "line",
    path: "test/integration/cli.test.ts",
    tests: "a secret never reaches the log, wherever it came from",
  },
  {
    name: "server-environment",
    file: "runtime/orchestrator/process-driver.ts",
    from: "...minimalEnvironment(), TMPDIR",
    to: "...process.env, TMPDIR",
    path: "test/runtime/orchestrator/process-driver.test.ts",
    tests: "nothing of ours that could be a secret",
  },
  {
    name: "redis-fallback",
    file: "runtime/security/limits/shared-buckets.ts",
    from: "    onAway();\n    return local.take(",
    to: '    onAway();\n    throw new Error("Redis is away");\n    return local.take(',
    path: "test/integration/shared-limits.test.ts",
    tests: "Redis dies and comes back under load",
  },
  {
    name: "install-scripts",
    file: "runtime/orchestrator/package-cache.ts",
    from: '        "--ignore-scripts",\n',
    to: "",
    path: "test/runtime/orchestrator/package-cache.test.ts",
    tests: "install scripts do not run",
  },
  {
    name: "sound-lock-file",
    file: "package-lock.json",
    from: '  "packages": {\n',
    to: '  "packages": {\n    "node_modules/odd": { "version": "1.0.0", "license": "SSPL-1.0" },\n',
    path: "test/docs/supply-chain.test.ts",
    tests: "the hash of its content|permissive licences",
  },
];
