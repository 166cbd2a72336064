export { decodeAdmissionReview, encodeAdmissionResponse } from "../admission/admission-review.ts";
export { admit } from "../admission/admit.ts";
export { createInvalidationEndpoint } from "../endpoints/invalidation-endpoint.ts";
export { serveEndpoint } from "../endpoints/serve-endpoint.ts";
export { answerFault, hostileBody } from "./hostile-bodies.ts";
export { ask, podReview, taskPod } from "./pod-review.ts";
export { postPod, review, send, type Target } from "./post-review.ts";
export { startLoad } from "./steady-load.ts";
