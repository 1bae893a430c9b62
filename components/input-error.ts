import * as pulumi from "@pulumi/pulumi";

/** A wrong argument of a component: names the component, the field, the value and the fix. Shown without a stack. */
export class InputError extends pulumi.RunError {
  /** `component` as users write it: `MCPServerFleet "context7"`. */
  constructor(component: string, problems: readonly string[]) {
    super(problems.map((problem) => `${component}: ${problem}`).join("\n"));
    this.name = "InputError";
    const { message } = this;
    // Where it is thrown inside an output, the SDK puts the path to that output before it, once for each level. The
    // message names the field already.
    Object.defineProperty(this, "message", { configurable: true, get: () => message, set: () => undefined });
  }
}
