export { describeMutatorProperties } from "./mutator-properties.ts";
