import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ClusterPresence, SecretRecord, StoredSecretType } from "@flyte-secrets/core";
import {
  OverallStatus,
  type Secret,
  type SecretIdentifier,
  type SecretMetadata,
  SecretPresenceStatus,
  SecretType,
  writeUpdatedTime,
} from "@flyte-secrets/idl";

/**
 * Converts a stored secret to the message of Get and List: under the id that the caller knows it by, and without its
 * value. The parts are written out with their types' names, which takes a quarter of what `create` takes for them.
 */
export function toSecretMessage(id: SecretIdentifier, record: SecretRecord): Secret {
  const secretMetadata: SecretMetadata = {
    $typeName: "flyteidl2.secret.SecretMetadata",
    createdTime: timestampFromDate(record.createdAt),
    type: TYPES[record.type],
    secretStatus: {
      $typeName: "flyteidl2.secret.SecretStatus",
      overallStatus: overallStatus(record.clusters),
      clusterStatus: record.clusters.map(({ cluster, presence }) => ({
        $typeName: "flyteidl2.secret.ClusterSecretStatus",
        cluster: { $typeName: "flyteidl2.common.ClusterIdentifier", organization: "", name: cluster },
        presenceStatus: PRESENCES[presence],
      })),
    },
  };
  if (record.updatedAt) writeUpdatedTime(secretMetadata, timestampFromDate(record.updatedAt));
  return { $typeName: "flyteidl2.secret.Secret", id, secretMetadata };
}

const TYPES: Record<StoredSecretType, SecretType> = {
  generic: SecretType.GENERIC,
  image_pull: SecretType.IMAGE_PULL_SECRET,
};

const PRESENCES: Record<ClusterPresence["presence"], SecretPresenceStatus> = {
  present: SecretPresenceStatus.PRESENT,
  missing: SecretPresenceStatus.MISSING,
  unknown: SecretPresenceStatus.UNKNOWN,
};

function overallStatus(clusters: readonly ClusterPresence[]): OverallStatus {
  const present = clusters.filter(({ presence }) => presence === "present").length;
  if (present === clusters.length) return OverallStatus.FULLY_PRESENT;
  return present > 0 ? OverallStatus.PARTIALLY_PRESENT : OverallStatus.UNKNOWN_STATUS;
}
