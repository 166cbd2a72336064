export { readConfigFile } from "./../remote/config-file.ts";
