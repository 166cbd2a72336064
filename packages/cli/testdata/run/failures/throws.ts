import { task } from "@flyte-secrets/sdk";

interface Settings {
  readonly region: { readonly name: string };
}

const settings = JSON.parse("{}") as Settings;

export const a = task({ name: settings.region.name }, async () => 1);
