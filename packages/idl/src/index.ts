/** Flyte's messages and services, unchanged, from `@flyteorg/flyteidl2`; only those that flyte-secrets speaks. */
export * from "../generated/flyteidl2/auth/auth_service_pb.ts";
export {
  type SelectClusterRequest,
  SelectClusterRequest_Operation,
  SelectClusterRequestSchema,
  type SelectClusterResponse,
  SelectClusterResponseSchema,
} from "../generated/flyteidl2/cluster/payload_pb.ts";
export { ClusterService } from "../generated/flyteidl2/cluster/service_pb.ts";
export {
  type Secret as SecretRequestMessage,
  Secret_MountType,
  SecretSchema as SecretRequestMessageSchema,
} from "../generated/flyteidl2/core/security_pb.ts";
export * from "../generated/flyteidl2/secret/definition_pb.ts";
export * from "../generated/flyteidl2/secret/payload_pb.ts";
export { SecretService } from "./secret-service.ts";
export { type MessageWithTime, readUpdatedTime, writeUpdatedTime } from "./updated-time.ts";
