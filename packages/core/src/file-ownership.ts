/** What the system says of a file or directory; Node's `Stats` has it. */
export interface FileOwnership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/**
 * Who besides this user and root may write a file or directory, in words for a message; undefined when nobody may. A group with the
 * user's own number counts as the user's: many systems make one for each user, and let it write the user's files. Without a user
 * (Windows) there is nothing to look at.
 */
export function otherWriter({ uid, gid, mode }: FileOwnership, user: number | undefined): string | undefined {
  if (user === undefined) return undefined;
  if (uid !== user && uid !== 0) return `it belongs to user ${uid}`;
  const others = gid === user ? 0o002 : 0o022;
  if ((mode & others) !== 0) return `other users may write it (mode ${(mode & 0o777).toString(8).padStart(4, "0")})`;
  return undefined;
}
