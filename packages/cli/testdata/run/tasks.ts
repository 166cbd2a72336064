import { task } from "@flyte-secrets/sdk";
import { Shade } from "./shade.ts";

class Tasks {
  @task({ name: "decorated" })
  static async decorated(input?: { readonly shade: string }) {
    return { shade: input?.shade === "dark" ? Shade.Dark : Shade.Light };
  }
}

export const { decorated } = Tasks;
