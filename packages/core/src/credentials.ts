/** The rule of {@link isStrongToken}, for messages. */
export const STRONG_TOKEN_RULE = "one line of 22 or more letters, digits and -._~+/, at least 8 of them different";

/**
 * Whether a bearer token is legal (RFC 6750, section 2.1) and long enough for 128 random bits, which are 22 characters
 * of base64url. At least 8 characters must differ, because a repeated letter or word is long but not random.
 */
export function isStrongToken(token: string): boolean {
  return /^[A-Za-z0-9\-._~+/]{22,}=*$/.test(token) && new Set(token).size >= 8;
}

/** The variables with credentials for this project's secrets. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  "FLYTE_SECRETS_MASTER_KEY",
  "FLYTE_SECRETS_NEXT_MASTER_KEY",
  "FLYTE_SECRETS_TOKEN",
  "FLYTE_API_KEY",
]);

/** The default prefix of the variables of the Global manager. */
const GLOBAL_PREFIX = "FLYTE_SECRET_";

/**
 * Copies an environment for programs that must not have our secrets, such as credential plugins and tasks. Leaves out
 * our master keys, tokens and API keys, and the variables of the Global manager, whose names begin with `globalPrefix`
 * (default `FLYTE_SECRET_`; none do where it is empty).
 */
export function withoutCredentials<Value>(
  environment: Readonly<Record<string, Value>>,
  globalPrefix = GLOBAL_PREFIX,
): Record<string, Value> {
  const isOurs = (name: string) => CREDENTIALS.has(name) || (globalPrefix !== "" && name.startsWith(globalPrefix));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isOurs(name)));
}
