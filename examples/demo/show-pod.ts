import type { Pod } from "@flyte-secrets/inject";
import { createEmbeddedInjector, createMutator, createSecretRefDelivery } from "@flyte-secrets/inject";
import { createLookup, createStoreFetcher } from "@flyte-secrets/lookup";
import { type TaskLike, toPod } from "@flyte-secrets/sdk";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { stringify } from "yaml";
import { byVariable } from "../ways-to-ask.ts";
import type { Stage } from "./stage.ts";
import { showsAny } from "./values.ts";

/** Shows the pod of one of the tasks as a cluster would run it. */
export async function showPod({ screen, store, values }: Stage): Promise<void> {
  screen.step("The pod that a cluster would receive for by-variable");
  const yaml = stringify(await clusterPod(byVariable, store), { lineWidth: 0 });
  screen.quote(yaml);
  screen.check("it refers to a Secret and holds no value", yaml.includes("secretKeyRef") && !showsAny(yaml, values));
}

/** Built by the SDK, then changed by the mutator that the webhook uses. */
async function clusterPod(task: TaskLike, directory: string): Promise<Pod> {
  const store = await openEmbeddedStore({ directory });
  try {
    const mutator = createMutator({
      managers: [createEmbeddedInjector({ lookup: createLookup({ fetcher: createStoreFetcher(store) }) })],
      secretEnvVarPrefix: "_UNION_",
      envVarNaming: "raw",
      delivery: createSecretRefDelivery({ writer: { async write() {} } }),
    });
    const pod = toPod(task, { image: "ghcr.io/acme/tasks:1", project: "flytesnacks", domain: "development" });
    const mutation = await mutator.mutate(pod, { dryRun: true });
    return mutation.changed ? mutation.pod : pod;
  } finally {
    await store.close();
  }
}
