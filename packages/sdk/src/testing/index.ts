export { readClientConfig } from "../remote/config-file.ts";
