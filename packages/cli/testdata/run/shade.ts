// @ts-expect-error An enum cannot be erased, so that type stripping alone refuses this file.
export enum Shade {
  Dark = "the dark one",
  Light = "the light one",
}
