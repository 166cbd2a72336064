/** What {@link isGoodToken} asks for. */
export const GOOD_TOKEN = "one line of 22 or more letters, digits and -._~+/, at least 8 of them different";

/**
 * Whether clients can send it after `Bearer` (RFC 6750 section 2.1), and it can be 128 random bits: 22 characters of base64url have so
 * many. One letter or a short word, repeated, is long and not random, so at least 8 of them have to differ.
 */
export function isGoodToken(token: string): boolean {
  return /^[A-Za-z0-9\-._~+/]{22,}=*$/.test(token) && new Set(token).size >= 8;
}

/** The variables that give access to this project's secrets beyond those that somebody asked for. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  "FLYTE_SECRETS_MASTER_KEY",
  "FLYTE_SECRETS_NEXT_MASTER_KEY",
  "FLYTE_SECRETS_TOKEN",
  "FLYTE_API_KEY",
]);

/** Before the names of the Global manager's secrets, where nothing else is configured. */
const GLOBAL_PREFIX = "FLYTE_SECRET_";

/**
 * An environment for programs that have nothing to do with our secrets, such as credential plugins and tasks: without our master
 * keys, tokens and API keys, and without the secrets of the Global manager, whose names begin with `globalPrefix` (default
 * `FLYTE_SECRET_`; empty: none do).
 */
export function withoutCredentials<Value>(
  environment: Readonly<Record<string, Value>>,
  globalPrefix = GLOBAL_PREFIX,
): Record<string, Value> {
  const isOurs = (name: string) => CREDENTIALS.has(name) || (globalPrefix !== "" && name.startsWith(globalPrefix));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isOurs(name)));
}
