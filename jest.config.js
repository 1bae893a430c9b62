const transform = {
  "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2024" }, module: { type: "es6" } }],
};
const project = (displayName, folders, testTimeout) => ({
  displayName,
  testMatch: folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
  transform,
  extensionsToTreatAsEsm: [".ts"],
  testEnvironment: "node",
  testTimeout,
});

/** @type {import("jest").Config} */
export default {
  reporters: ["default", "<rootDir>/test/support/summary-reporter.js"],
  projects: [
    project("unit", ["components", "infra", "runtime", "scripts", "docs"], 10_000),
    project("integration", ["integration"], 60_000),
    project("e2e", ["e2e"], 600_000),
  ],
};
