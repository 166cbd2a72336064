import type { Replacement } from "./covered-output.ts";
import { type FirstUnit, MIN_MASKED_UNITS } from "./form.ts";

/**
 * Finds all of many sequences of units in one pass, as Aho and Corasick do: a beginning that many of them share is one
 * state, and where a unit doesn't go on, the state is that of the longest suffix of what was read which begins a
 * sequence. Sequences may be added at any time. What is stored are the branches, not the units, so that a long sequence
 * costs no more than a short one until it is left in the middle.
 */
export interface UnitAutomaton {
  /** False when the sequence was there already; then it keeps its replacement. */
  add(sequence: Sequence): boolean;
  /** Before the first unit. */
  start(): State;
  /** Goes on with `unit`, to the state of the longest suffix that begins a sequence; to depth 0 when there is none. */
  next(state: State, unit: number): void;
  /** The longest sequence, or {@link MIN_MASKED_UNITS} units of one, that the last units form. */
  found(state: State): Found | undefined;
  /** Leaves a state that no unit goes on from for the longest one that does. */
  leaveEnd(state: State): void;
}

/** `units`, followed by any of `lasts` if there are any. */
export interface Sequence {
  readonly units: ArrayLike<number>;
  readonly lasts?: readonly number[] | undefined;
  /** What replaces it in the output. */
  readonly by: Replacement;
}

/** A sequence, or so much of one that it counts as found. */
export interface Found {
  /** Of units. */
  readonly count: number;
  /** That of the sequence; of several that begin with these units, that of the first one added. */
  readonly by: Replacement;
}

/** The first `depth` units of a sequence: those along `branch` and the ones that it leaves. */
export interface State {
  branch: Branch;
  depth: number;
}

/** What a sequence has of its own: its units from depth `from` on. Its unit at a depth is `units[depth - base]`. */
interface Branch {
  readonly units: ArrayLike<number>;
  readonly base: number;
  readonly from: number;
  readonly to: number;
  readonly parent: Branch | undefined;
  /** Those that leave it, by the depth and by the first unit. */
  branches: Map<number, Map<number, Branch>> | undefined;
  /** The sequences that end on it, by their depths below {@link MIN_MASKED_UNITS}. */
  readonly ends: Map<number, Found>;
  /** What is found on it from that depth on; the root has no units. */
  readonly long: Found | undefined;
  /**
   * As far as they were asked for, and for the sequences that there were then: the states to fall back on, from depth
   * `from` + 1 on.
   */
  fallbacks: State[];
  /** Null where nothing is found. */
  found: (Found | null)[];
  version: number;
}

/** `first`, if given, is the first unit of all sequences. */
export function createUnitAutomaton(first?: FirstUnit): UnitAutomaton {
  const root = createBranch({ units: [], base: 0, from: 0, to: 0 });
  const ROOT: State = { branch: root, depth: 0 };
  let version = 0;

  function isStep(state: State, read: number): boolean {
    const { branch, depth } = state;
    const unit = depth === 0 && first !== undefined ? (first.any.has(read) ? first.unit : -1) : read;
    if (depth < branch.to && branch.units[depth - branch.base] === unit) {
      state.depth += 1;
      return true;
    }
    const next = branch.branches?.get(depth)?.get(unit);
    if (next === undefined) return false;
    state.branch = next;
    state.depth += 1;
    return true;
  }

  function set(state: State, { branch, depth }: State): void {
    state.branch = branch;
    state.depth = depth;
  }

  /** The state one unit before. */
  function before({ branch, depth }: State): State {
    const within = branch.parent === undefined || depth - 1 > branch.from;
    return { branch: within ? branch : branch.parent, depth: depth - 1 };
  }

  function knownFallback({ branch, depth }: State): State | undefined {
    return depth <= 1 ? ROOT : upToDate(branch).fallbacks[depth - branch.from - 1];
  }

  /** Forgets what was told of `branch` before the last sequence was added. */
  function upToDate(branch: Branch): Branch {
    if (branch.version === version) return branch;
    return Object.assign(branch, { version, fallbacks: [], found: [] });
  }

  /** Fallbacks of a branch are told in order; each needs those of states that are less deep, which are told first. */
  function fallback(state: State): State {
    const known = knownFallback(state);
    if (known !== undefined) return known;
    const asked: State[] = [{ ...state }];
    for (let top = asked.at(-1); top !== undefined; top = asked.at(-1)) {
      if (knownFallback(top) !== undefined) asked.pop();
      else tellNext(top.branch, asked);
    }
    return knownFallback(state) ?? ROOT;
  }

  /** Tells the next fallback of `branch`, or asks for the one that it needs. */
  function tellNext(branch: Branch, asked: State[]): void {
    const depth = branch.from + upToDate(branch).fallbacks.length + 1;
    if (depth === 1) {
      branch.fallbacks.push(ROOT);
      return;
    }
    const last = before({ branch, depth });
    const from = knownFallback(last);
    if (from === undefined) {
      asked.push(last);
      return;
    }
    const candidate = { ...from };
    const unit = branch.units[depth - 1 - branch.base] ?? 0;
    while (!isStep(candidate, unit)) {
      if (candidate.depth === 0) break;
      const next = knownFallback(candidate);
      if (next === undefined) {
        asked.push(candidate);
        return;
      }
      set(candidate, next);
    }
    branch.fallbacks.push(candidate.depth === 0 ? ROOT : candidate);
  }

  function found(state: State): Found | undefined {
    const { branch, depth } = state;
    if (depth >= MIN_MASKED_UNITS) return branch.long;
    if (depth === 0) return undefined;
    const { found: known } = upToDate(branch);
    const at = depth - branch.from - 1;
    if (known[at] === undefined) known[at] = branch.ends.get(depth) ?? found(fallback(state)) ?? null;
    return known[at] ?? undefined;
  }

  function addBranch(at: State, own: OwnUnits, by: Replacement): State {
    const branch = createBranch(own, at.branch, by);
    at.branch.branches ??= new Map();
    const siblings = at.branch.branches.get(at.depth) ?? new Map<number, Branch>();
    at.branch.branches.set(at.depth, siblings.set(own.units[own.from - own.base] ?? 0, branch));
    return { branch, depth: own.to };
  }

  /** Follows the label itself, also where `first` tells that others count as it. */
  function isLabel(state: State, unit: number): boolean {
    if (state.depth > 0 || first === undefined) return isStep(state, unit);
    const next = root.branches?.get(0)?.get(unit);
    if (next === undefined) return false;
    set(state, { branch: next, depth: 1 });
    return true;
  }

  function addEnd({ branch, depth }: State, by: Replacement): boolean {
    if (depth >= MIN_MASKED_UNITS || branch.ends.has(depth)) return false;
    branch.ends.set(depth, { count: depth, by });
    return true;
  }

  return {
    add({ units, lasts = [], by }) {
      let state: State = { ...ROOT };
      while (state.depth < units.length && isLabel(state, units[state.depth] ?? 0));
      let isNew = state.depth < units.length;
      if (isNew) state = addBranch(state, { units, base: 0, from: state.depth, to: units.length }, by);
      if (lasts.length === 0) isNew = addEnd(state, by) || isNew;
      for (const unit of lasts) {
        let last: State = { ...state };
        if (!isStep(last, unit)) {
          last = addBranch(last, { units: [unit], base: state.depth, from: state.depth, to: state.depth + 1 }, by);
          isNew = true;
        }
        isNew = addEnd(last, by) || isNew;
      }
      if (isNew) version += 1;
      return isNew;
    },
    start: () => ({ ...ROOT }),
    next(state, unit) {
      while (!isStep(state, unit) && state.depth > 0) set(state, fallback(state));
    },
    found,
    leaveEnd(state) {
      while (state.depth > 0 && state.depth === state.branch.to && !state.branch.branches?.has(state.depth)) {
        set(state, fallback(state));
      }
    },
  };
}

type OwnUnits = Pick<Branch, "units" | "base" | "from" | "to">;

function createBranch(own: OwnUnits, parent?: Branch, by?: Replacement): Branch {
  const long = by && { count: MIN_MASKED_UNITS, by };
  return { ...own, parent, long, branches: undefined, ends: new Map(), fallbacks: [], found: [], version: 0 };
}
