/** Where the API server sends admission reviews, as to Flyte's webhook. */
export const WEBHOOK_PATH = "/mutate--v1-pod";
