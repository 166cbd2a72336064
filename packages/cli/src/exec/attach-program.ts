import type { ChildProcess, StdioOptions } from "node:child_process";
import type { CliContext } from "../context.ts";
import type { TerminalStream } from "../output.ts";
import { forward } from "../run/forward-output.ts";
import type { Mask } from "../run/mask/mask.ts";
import { openPseudoTerminal, type PseudoTerminal, setRawTerminal } from "./pseudo-terminal.ts";

/** How long output on a terminal may be held back because it looks like the beginning of a value. */
const MAX_HOLD_MS = 20;

export type ProgramStreams = Pick<CliContext, "stdin" | "stdout" | "stderr">;

/** How a program is connected with the streams of this process. */
export interface Attachment {
  /** Starts the program: goes before it and its arguments. */
  readonly launcher: readonly string[];
  readonly stdio: StdioOptions;
  /** Whether the program is the leader of a session of its own. */
  readonly ownSession: boolean;
  /** To be called when the program is started. Fulfilled when all its output is written. */
  connect(child: ChildProcess): Promise<unknown>;
  /** Leaves this process's terminal as it was, before it is stopped. */
  suspend(): void;
  resume(): void;
  /** Ends what carries data. Idempotent. */
  close(): void;
}

const nothing = (): void => {};

/** The streams, terminal and process group of this process. */
export function attachDirectly(): Attachment {
  return {
    launcher: [],
    stdio: "inherit",
    ownSession: false,
    connect: async () => {},
    suspend: nothing,
    resume: nothing,
    close: nothing,
  };
}

/** Pipes for the output, which goes through the mask. */
export function attachByPipes({ stdout, stderr }: ProgramStreams, mask: Mask): Attachment {
  let connected: ChildProcess | undefined;
  return {
    launcher: [],
    stdio: ["inherit", "pipe", "pipe"],
    ownSession: true,
    connect(child) {
      connected = child;
      return Promise.all([forward(child.stdout, stdout.raw, { mask }), forward(child.stderr, stderr.raw, { mask })]);
    },
    suspend: nothing,
    resume: nothing,
    close() {
      // What the program has left running may hold them open.
      connected?.stdout?.destroy();
      connected?.stderr?.destroy();
    },
  };
}

/**
 * A terminal of the program's own in place of each stream that is one here, and pipes for the others; output goes
 * through the mask, keys and the window's size to the program. Undefined where the output isn't on a terminal, or none
 * can be made.
 */
export function attachByTerminal(streams: ProgramStreams, mask: Mask): Attachment | undefined {
  const { stdin, stdout, stderr } = streams;
  const screen = [stdout, stderr].find(({ isTTY }) => isTTY)?.raw;
  if (screen === undefined) return undefined;
  const terminal = openPseudoTerminal(sizeOf(screen));
  if (terminal === undefined) return undefined;
  const pipes = attachByPipes(streams, mask);
  const hasKeys = stdin.isTTY === true;
  let restore: (() => void) | undefined;
  const type = (keys: Uint8Array): void => terminal.type(keys);
  const resize = (): void => terminal.resize(sizeOf(screen));
  return {
    // Makes the terminal on its standard input that of its session, so that keys are signals and /dev/tty is there.
    launcher: hasKeys ? ["setsid", "-c", "--"] : [],
    stdio: [hasKeys ? terminal.slave : "inherit", slaveOr(stdout, terminal), slaveOr(stderr, terminal)],
    ownSession: true,
    connect(child) {
      terminal.releaseSlave();
      if (hasKeys) {
        restore = setRawTerminal();
        stdin.on("data", type);
      }
      screen.on("resize", resize);
      return Promise.all([pipes.connect(child), forward(terminal.output, screen, { mask, maxHoldMs: MAX_HOLD_MS })]);
    },
    suspend: () => restore?.(),
    resume() {
      if (restore === undefined) return;
      // Others may have changed it meanwhile, or nobody.
      restore();
      restore = setRawTerminal();
      resize();
    },
    close() {
      screen.off("resize", resize);
      if (hasKeys) stdin.off("data", type).pause();
      restore?.();
      pipes.close();
      terminal.close();
    },
  };
}

function slaveOr({ isTTY }: { readonly isTTY: boolean }, { slave }: PseudoTerminal): number | "pipe" {
  return isTTY ? slave : "pipe";
}

/** As of the terminals of old, where it isn't known. */
function sizeOf({ columns, rows }: TerminalStream) {
  return { columns: columns || 80, rows: rows || 24 };
}
