import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Requirement } from "./requirement.ts";

const BUSYBOX = ["/bin/busybox", "/usr/bin/busybox"].find((path) => existsSync(path));

export const busyboxRequirement: Requirement = BUSYBOX
  ? { missing: false }
  : { missing: true, what: "busybox", enable: "apt-get install busybox-static" };

/** Makes a directory with every applet of busybox and nothing else, for a `PATH` as in its image. */
export function makeBusyboxPath(directory: string): string {
  if (!BUSYBOX) throw new Error("busybox is not there");
  mkdirSync(directory, { recursive: true });
  const applets = execFileSync(BUSYBOX, ["--list"], { encoding: "utf8" }).trim().split("\n");
  for (const applet of applets) symlinkSync(BUSYBOX, join(directory, applet));
  return directory;
}
