// npm run bench [-- SECTION ...]: measures the sections named, or all of them, and prints a table for each.
// BENCH_SECONDS (a measured load) and BENCH_SECRETS (how many are many) scale a run.
import { availableParallelism, cpus } from "node:os";
import { benchAdmission, benchAdmissionInProcess, benchAdmissionMemory, benchAdmissionScale } from "./admission.ts";
import { benchImport } from "./import.ts";
import { benchKubernetesImport } from "./kubernetes-import.ts";
import { benchKubernetesScale } from "./kubernetes-scale.ts";
import { benchKubernetesService } from "./kubernetes-service.ts";
import { benchListing } from "./listing.ts";
import { benchRotation } from "./rotation.ts";
import { benchRpc } from "./rpc.ts";
import { benchRun } from "./run.ts";
import { benchStartup } from "./startup.ts";
import { benchStore } from "./store.ts";
import { benchStoreWrites } from "./store-writes.ts";
import { type Row, toMarkdown } from "./table.ts";

const SECTIONS: Readonly<Record<string, () => Promise<Row[]>>> = {
  rpc: benchRpc,
  startup: benchStartup,
  store: benchStore,
  "store-writes": benchStoreWrites,
  import: benchImport,
  run: benchRun,
  listing: benchListing,
  admission: benchAdmission,
  "admission-in-process": benchAdmissionInProcess,
  "admission-scale": benchAdmissionScale,
  "admission-memory": benchAdmissionMemory,
  "kubernetes-service": benchKubernetesService,
  "kubernetes-import": benchKubernetesImport,
  "kubernetes-scale": benchKubernetesScale,
  rotation: benchRotation,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(SECTIONS, name));
if (unknown.length > 0) {
  console.error(`no such section: ${unknown.join(", ")}; there are ${Object.keys(SECTIONS).join(", ")}`);
  process.exit(2);
}
console.log(`Node ${process.version}, ${availableParallelism()} cores of ${cpus()[0]?.model}`);
for (const [name, measure] of Object.entries(SECTIONS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n## ${name}\n\n${toMarkdown(await measure())}`);
}
