import { join } from "node:path";
import { expectChecked } from "../support/checkov.ts";
import { testWith } from "../support/needs.ts";

const test = testWith("kubernetes-validate and checkov (MANIFEST_PYTHON)");

/** Checks that do not apply, each with its reason. Everything else must pass. */
const exceptions = {
  CKV_DOCKER_7: "the base is an argument, of which the default is an exact version",
} as const;

test("checkov finds nothing in the image's Dockerfile but what has its reason here", () => {
  expectChecked("dockerfile", join(import.meta.dirname, "../../runtime/Dockerfile"), exceptions, 50);
}, 60_000);
