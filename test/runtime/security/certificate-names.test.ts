import { expect, test } from "@jest/globals";
import { certificateKeys, subjectKey } from "../../../runtime/security/certificate-names.ts";

/** Is the holder of this configured subject found by this certificate? */
const holds = (subject: string, certificate: { CN?: unknown; san?: string }) =>
  certificateKeys({ subject: { CN: certificate.CN }, subjectaltname: certificate.san }).includes(subjectKey(subject));

test.each<[string, { CN?: unknown; san?: string }]>([
  ["DNS:admin.example.org", { CN: "DNS:admin.example.org" }],
  ["DNS:admin.example.org", { CN: "DNS:admin.example.org", san: "DNS:other.example.org" }],
  ["URI:spiffe://a/admin", { CN: "URI:spiffe://a/admin" }],
  ["DNS:admin.example.org", { CN: "x", san: 'DNS:"evil.example.org, DNS:admin.example.org"' }],
  ["DNS:admin.example.org", { CN: "x", san: 'URI:"http://evil/, DNS:admin.example.org"' }],
  ["DNS:admin.example.org", { CN: "x", san: 'DNS:"evil\\", DNS:admin.example.org"' }],
  ["DNS:admin.example.org", { CN: "x", san: "email:DNS:admin.example.org" }],
  ["email:admin@example.org", { CN: "x", san: "URI:email:admin@example.org" }],
  ["admin", { CN: "admin", san: "DNS:other.example.org" }],
  ["CN:admin", { CN: "x", san: "DNS:CN:admin" }],
  ["CN:admin", { CN: ["x", "admin"] }],
  ["admin", { CN: ["admin", "x"] }],
])("%s is not the holder of %j", (subject, certificate) => {
  expect(holds(subject, certificate)).toBe(false);
});

test.each<[string, { CN?: unknown; san?: string }]>([
  ["admin", { CN: "admin" }],
  ["CN:admin", { CN: "admin" }],
  ["CN:admin", { CN: "admin", san: "DNS:other.example.org" }],
  ["DNS:Admin.example.org", { CN: "x", san: "DNS:other.example.org, DNS:admin.EXAMPLE.org" }],
  ["URI:spiffe://a/b", { CN: "x", san: "DNS:a, URI:spiffe://a/b, IP Address:10.0.0.7" }],
  ["IP:10.0.0.7", { CN: "x", san: "DNS:a, IP Address:10.0.0.7" }],
  ["IP Address:10.0.0.7", { san: "IP Address:10.0.0.7" }],
  ["email:a@example.org", { san: "email:a@example.org" }],
  ["URI:http://a/, DNS:b", { CN: "x", san: 'URI:"http://a/, DNS:b"' }],
  ["O:a common name with a colon", { CN: "O:a common name with a colon" }],
])("%s is the holder of %j", (subject, certificate) => {
  expect(holds(subject, certificate)).toBe(true);
});
