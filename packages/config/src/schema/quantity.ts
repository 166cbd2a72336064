const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/**
 * Parses a Kubernetes quantity (`500Mi`, `200m`, `1.5`, `100M`, `1e3`) to a number; undefined when the text is none
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/) (C-8).
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([+-]?\d+)|([KMGTPE]i)|([numkMGTPE]))?$/.exec(text);
  if (match === null) return undefined;
  const [, amount, exponent, binary, decimal] = match;
  if (binary !== undefined) return Number(amount) * 1024 ** (BINARY.indexOf(binary) + 1);
  return Number(`${amount}e${exponent ?? (decimal === undefined ? 0 : DECIMAL[decimal])}`);
}
