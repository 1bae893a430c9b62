import { expect, test } from "@jest/globals";
import { SecretKeeper } from "../../../../runtime/config/client-files/secrets.ts";

function keeper() {
  const notes: string[] = [];
  return { secrets: new SecretKeeper("github", (note) => notes.push(note)), notes };
}
const told = (name: string) => `set the environment variable ${name} for the gateway; its value was not copied`;

test("a key in the arguments of a client's file is not copied, whatever option carries it", () => {
  const { secrets, notes } = keeper();
  const args = [
    ...["run", "-i", "--api-key", "abc", "--api-key=def", "--key-file", "/etc/key.pem", "--keyboard", "de"],
    ...["-e", "GITHUB_TOKEN=ghi", "-e", "MODE=ro", "-e", "PASSED_ON", "--env=SOME_SECRET=jkl"],
    ...["--header", "Authorization: Bearer mno", "-H", "X-Api-Key: pqr", "--header=X-Team: a"],
    ...["ghp_0123456789", "--token", "${ALREADY}", "--workers=4"],
  ];
  expect(secrets.arguments(args)).toEqual([
    ...["run", "-i", "--api-key", "${GITHUB_API_KEY}", "--api-key=${GITHUB_API_KEY_2}", "--key-file", "/etc/key.pem"],
    ...["--keyboard", "de", "-e", "GITHUB_TOKEN=${GITHUB_TOKEN}", "-e", "MODE=ro", "-e", "PASSED_ON"],
    ...["--env=SOME_SECRET=${SOME_SECRET}", "--header", "Authorization: Bearer ${GITHUB_TOKEN_2}"],
    ...["-H", "X-Api-Key: ${GITHUB_X_API_KEY}", "--header=X-Team: a", "${GITHUB_KEY}", "--token", "${ALREADY}"],
    "--workers=4",
  ]);
  expect(notes).toEqual([
    told("GITHUB_API_KEY"),
    told("GITHUB_API_KEY_2"),
    told("GITHUB_TOKEN"),
    told("SOME_SECRET"),
    told("GITHUB_TOKEN_2"),
    told("GITHUB_X_API_KEY"),
    told("GITHUB_KEY"),
  ]);
});

test("a password or a key in a URL of a client's file is not copied", () => {
  const { secrets, notes } = keeper();
  expect(secrets.url("postgres://me:pa%3Ass@db.example:5432/notes?sslmode=require")).toBe(
    "postgres://me:${GITHUB_PASSWORD}@db.example:5432/notes?sslmode=require",
  );
  expect(secrets.url("https://mcp.example.com/mcp?region=eu&apiKey=abc&x=1#part")).toBe(
    "https://mcp.example.com/mcp?region=eu&apiKey=${GITHUB_APIKEY}&x=1#part",
  );
  expect(secrets.url("https://mcp.example.com/mcp?apiKey=${KEY}")).toBe("https://mcp.example.com/mcp?apiKey=${KEY}");
  expect(secrets.url("not a url: me:secret@host")).toBe("not a url: me:secret@host");
  expect(notes).toEqual([told("GITHUB_PASSWORD"), told("GITHUB_APIKEY")]);
});

test("a credential in a variable of a client's file is not copied, whatever the variable is called", () => {
  const { secrets, notes } = keeper();
  const given: Record<string, string> = {
    AUTH_HEADER: "Bearer abcdefgh12345678",
    X_AUTH: "Basic dXNlcjpwYXNz",
    MYSQL_PWD: "hunter2",
    PW: "hunter2",
    PASSPHRASE: "correct horse",
    COOKIE: "session=abcdef",
    CRED: "abcdef",
    HOOK: "https://hooks.slack.com/services/T000/B000/abcdef",
    // No secrets.
    AUTHOR: "anna",
    PWD: "/home/anna",
    AUTH_MODE: "none",
    BYPASS: "yes",
  };
  const kept = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, secrets.variable(name, value)]));
  expect(kept).toEqual({
    AUTH_HEADER: "Bearer ${AUTH_HEADER}",
    X_AUTH: "Basic ${X_AUTH}",
    MYSQL_PWD: "${MYSQL_PWD}",
    PW: "${PW}",
    PASSPHRASE: "${PASSPHRASE}",
    COOKIE: "${COOKIE}",
    CRED: "${CRED}",
    HOOK: "${HOOK}",
    AUTHOR: "anna",
    PWD: "/home/anna",
    AUTH_MODE: "none",
    BYPASS: "yes",
  });
  expect(notes).toEqual(["AUTH_HEADER", "X_AUTH", "MYSQL_PWD", "PW", "PASSPHRASE", "COOKIE", "CRED", "HOOK"].map(told));
});

test("the default of a reference to a secret is not copied", () => {
  const { secrets, notes } = keeper();
  expect(secrets.keep("${TOK:-fallbacktoken}", "TOKEN")).toBe("${TOK}");
  expect(notes).toEqual(["a default for the secret in ${TOK:-…} was not copied"]);
});
