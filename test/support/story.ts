import { testWith } from "./needs.ts";
import type { Need } from "./present.ts";

/**
 * The steps of one story, in order. All of them need what the first one brings up: where that fails, the others fail at once
 * instead of waiting for what cannot come. Skipped like other tests where this machine lacks something.
 */
export function storyWith(...needs: Need[]): ReturnType<typeof testWith> {
  const step = testWith(...needs);
  let begun: "no" | "failed" | "yes" = "no";
  return (name, run, timeout) =>
    step(
      name,
      async () => {
        if (begun === "failed") throw new Error("not tried: the first step of this story failed");
        if (begun === "no") begun = "failed";
        await run();
        begun = "yes";
      },
      timeout,
    );
}
