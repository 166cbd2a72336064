/** For whom a `.env` file is written: shells, docker compose, or the `dotenv` of npm and python-dotenv. */
export const DOTENV_READERS = ["sh", "compose", "dotenv"] as const;
export type DotenvReader = (typeof DOTENV_READERS)[number];
