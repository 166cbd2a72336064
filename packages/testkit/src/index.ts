export { type ServeProcess, startServe } from "./serve-process.ts";
