import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { createInterface } from "node:readline";

/** A Python program that answers questions, one JSON document a line. */
export interface PythonPeer {
  /** The answer, not checked. Rejects with what the program printed when it ends instead. */
  ask(question: object): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts a script, in its directory, that answers until its input ends. */
export function startPythonPeer(python: string, script: string): PythonPeer {
  const child = spawn(python, [script], {
    cwd: dirname(script),
    env: { HOME: "/nonexistent", PATH: process.env.PATH ?? "", PYTHONDONTWRITEBYTECODE: "1" },
  });
  const ended = once(child, "close");
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  // The program may have ended: then there is no answer, which says it better.
  child.stdin.on("error", () => {});
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { done, value } = await answers.next();
      if (!done) return JSON.parse(value);
      await ended;
      throw new Error(`${script} ended:\n${complaints}`);
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
