import { task } from "@flyte-secrets/sdk";
import { nothing } from "./shade.mjs";

export const a = task({ name: "a" }, nothing);
