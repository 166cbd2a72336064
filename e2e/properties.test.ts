// The mutator's properties over many more pods than the unit tests take: 4 properties, each over 5,000 pods and
// requests.
import { describeMutatorProperties } from "@flyte-secrets/inject/testing";
import fc from "fast-check";

const RUNS = Number(process.env.PROPERTY_RUNS ?? 5_000);

const seed = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
console.log(`properties of the mutator: PROPERTY_SEED=${seed} runs these pods again`);
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });

describeMutatorProperties(RUNS);
