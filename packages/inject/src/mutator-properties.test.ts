import { describeMutatorProperties } from "./testing/mutator-properties.ts";

/** More with `PROPERTY_RUNS`, for a long run. */
describeMutatorProperties(Number(process.env.PROPERTY_RUNS ?? 500));
