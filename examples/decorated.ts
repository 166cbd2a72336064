import { task } from "@flyte-secrets/sdk";
import { receive } from "./receive.ts";

/** The same with a standard decorator (TypeScript 5), on a method of a class. */
// biome-ignore lint/complexity/noStaticOnlyClass: a decorator needs a method, and a method a class.
class Reports {
  @task({ name: "daily-report", secrets: "my-api-key" })
  static async daily(expected?: { readonly sha256?: string }) {
    return receive("daily-report", process.env.MY_API_KEY, expected?.sha256);
  }
}

export const { daily } = Reports;
