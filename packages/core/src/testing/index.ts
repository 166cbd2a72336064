export { BASE32_LOWER, BASE32_STANDARD } from "../base32.ts";
