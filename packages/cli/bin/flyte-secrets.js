#!/usr/bin/env node
// biome-ignore-all lint/style/useTemplate: this file has to run on the Node that is too old, to say so.
// Node would answer this signal by opening its inspector, in which every user of the machine may read the memory.
process.on("SIGUSR1", () => {});
var major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write(
    "flyte-secrets needs Node 24 or newer, and this is Node " +
      process.versions.node +
      ". In a checkout of the project, " +
      "npx flyte-secrets starts it with the checkout's own Node 24; elsewhere install a newer Node (https://nodejs.org).\n",
  );
  process.exitCode = 1;
} else {
  void import("../dist/main.js").then((main) => main.main(process));
}
