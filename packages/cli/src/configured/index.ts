export { serviceRights } from "./service-rights.ts";
export { toAdmissionOptions, toWebhookOptions } from "./webhook-options.ts";
