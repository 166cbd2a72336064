import { task } from "@flyte-secrets/sdk";
import { nothing } from "no-such-package";

export const a = task({ name: "a" }, nothing);
