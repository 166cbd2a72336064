import { task } from "@flyte-secrets/sdk";
import { nothing } from "./not-there.ts";

export const a = task({ name: "a" }, nothing);
