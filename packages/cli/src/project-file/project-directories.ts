import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** What the root of a project has. */
const ROOT_MARKS = [".git", "pyproject.toml", "setup.py"];

/** A directory, and those above it as far as its project goes; of no project, that directory alone. */
export function projectDirectories(start: string): readonly string[] {
  const directories: string[] = [];
  for (let directory = start; ; directory = dirname(directory)) {
    directories.push(directory);
    if (ROOT_MARKS.some((mark) => existsSync(join(directory, mark)))) return directories;
    if (dirname(directory) === directory) return [start];
  }
}
