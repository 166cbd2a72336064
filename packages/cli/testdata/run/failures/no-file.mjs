import { task } from "@flyte-secrets/sdk";
import { nothing } from "./not-there.mjs";

export const a = task({ name: "a" }, nothing);
