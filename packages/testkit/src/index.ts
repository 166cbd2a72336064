export { createCertificate } from "./create-certificate.ts";
export { createManualClock, type ManualClock } from "./manual-clock.ts";
export { type ServeProcess, startServe } from "./serve-process.ts";
