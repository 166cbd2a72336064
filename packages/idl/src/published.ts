/**
 * Flyte's services and messages with their files as Flyte publishes them: all that these define and import, and custom
 * options. For reflection; to load them takes ten times as long as what the package's main entry has.
 */
export { AuthMetadataService } from "../generated/published/flyteidl2/auth/auth_service_pb.ts";
export { ClusterService } from "../generated/published/flyteidl2/cluster/service_pb.ts";
export { SecretIdentifierSchema, SecretSpecSchema } from "../generated/published/flyteidl2/secret/definition_pb.ts";
export { SecretService } from "../generated/published/flyteidl2/secret/secret_pb.ts";
