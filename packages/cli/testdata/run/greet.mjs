import { Secret, task } from "@flyte-secrets/sdk";

/** Prints its secret, and returns something. */
export const greet = task(
  { name: "greet", secretRequests: [new Secret({ key: "api-key", envVar: "API_KEY" })] },
  async () => {
    console.log(`called with ${process.env.API_KEY}`);
    return { greeting: "hello" };
  },
);
