/**
 * Flyte's messages and services from `@flyteorg/flyteidl2`, as far as flyte-secrets speaks them, and `LookupService`, its
 * own.
 */
export * from "../generated/used/flyteidl2/auth/auth_service_pb.ts";
export {
  type SelectClusterRequest,
  SelectClusterRequest_Operation,
  SelectClusterRequestSchema,
  type SelectClusterResponse,
  SelectClusterResponseSchema,
} from "../generated/used/flyteidl2/cluster/payload_pb.ts";
export { ClusterService } from "../generated/used/flyteidl2/cluster/service_pb.ts";
export {
  type Secret as SecretRequestMessage,
  Secret_MountType,
  SecretSchema as SecretRequestMessageSchema,
} from "../generated/used/flyteidl2/core/security_pb.ts";
export * from "../generated/used/flyteidl2/secret/definition_pb.ts";
export * from "../generated/used/flyteidl2/secret/payload_pb.ts";
export {
  type FoundSecret,
  FoundSecretSchema,
  LookupService,
  ValueForm,
} from "./flytesecrets/v1/lookup_pb.ts";
export { SecretService } from "./secret-service.ts";
export { type MessageWithTime, readUpdatedTime, writeUpdatedTime } from "./updated-time.ts";
