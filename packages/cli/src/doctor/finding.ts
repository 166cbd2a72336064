/** What `doctor` found about one thing. */
export type Finding =
  | { readonly state: "ok" | "note"; readonly what: string }
  | { readonly state: "problem"; readonly what: string; readonly remedy: string };

export const ok = (what: string): Finding => ({ state: "ok", what });

/** Nothing wrong, but good to know: a thing that is not there yet. */
export const note = (what: string): Finding => ({ state: "note", what });

export const problem = (what: string, remedy: string): Finding => ({ state: "problem", what, remedy });
