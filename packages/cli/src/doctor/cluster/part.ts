/** What runs in the cluster, each under an account of its own or both under one. */
export const PARTS = ["service", "webhook"] as const;
export type Part = (typeof PARTS)[number];
