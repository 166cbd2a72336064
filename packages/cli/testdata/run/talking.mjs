import { Secret, task, workflow } from "@flyte-secrets/sdk";

/** Prints the lines of its secret, in pieces, and says when on standard error. */
const talking = (name) =>
  task({ name, secrets: new Secret({ key: "api-key", asEnvVar: "API_KEY" }) }, async () => {
    for (const piece of [`${name} has `, `${process.env.API_KEY}\n`, "and ends without a line feed"]) {
      await new Promise((done) => process.stdout.write(piece, done));
    }
    console.error(`${name} is done`);
  });

const one = talking("one");
const two = talking("two");

export const both = workflow({ name: "both" }, async () => {
  console.log("both begins");
  await Promise.all([one(), two(), one()]);
});

export { one };
