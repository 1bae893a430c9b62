const transform = {
  "^.+\\.ts$": [
    "@swc/jest",
    {
      jsc: { parser: { syntax: "typescript" }, target: "es2024", experimental: { keepImportAttributes: true } },
      module: { type: "es6" },
    },
  ],
};
// Jest reads testTimeout from the top level only, so a project that needs longer says so in its own set-up file.
const project = (displayName, folders, setup = []) => ({
  displayName,
  testMatch: folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
  transform,
  extensionsToTreatAsEsm: [".ts"],
  testEnvironment: "node",
  // The bundle holds a package of the same name.
  // As tsconfig.json has it: the examples import the package by its name.
  moduleNameMapper: { "^mcp-fleet$": "<rootDir>/index.ts" },
  modulePathIgnorePatterns: ["<rootDir>/dist/"],
  setupFilesAfterEnv: setup.map((file) => `<rootDir>/test/support/${file}`),
});

/** @type {import("jest").Config} */
export default {
  reporters: ["default", "<rootDir>/test/support/summary-reporter.js"],
  // Concurrent tests start processes of their own; more of them would wait for each other.
  maxConcurrency: 3,
  projects: [
    project("unit", ["components", "infra", "policy", "runtime", "scripts", "docs", "bench"]),
    project(
      "integration",
      ["integration", "clients", "chaos", "fuzz", "hostile", "busy-hour", "mutants"],
      ["minute-timeout.js"],
    ),
    project("conformance", ["conformance"], ["minute-timeout.js"]),
    project("engines", ["engines"], ["quarter-hour-timeout.js"]),
    project("e2e", ["e2e"], ["quarter-hour-timeout.js"]),
  ],
};
