// An enum: type stripping alone would refuse it.
export enum Shade {
  Dark = "the dark one",
  Light = "the light one",
}
