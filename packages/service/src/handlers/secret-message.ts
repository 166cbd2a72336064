import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ClusterPresence, SecretRecord, StoredSecretType } from "@flyte-secrets/core";
import {
  OverallStatus,
  type Secret,
  type SecretIdentifierSchema,
  SecretPresenceStatus,
  SecretSchema,
  SecretType,
  writeUpdatedTime,
} from "@flyte-secrets/idl";

/**
 * Converts a stored secret to the message of Get and List: under the id that the caller knows it by, and without its
 * value.
 */
export function toSecretMessage(id: MessageInitShape<typeof SecretIdentifierSchema>, record: SecretRecord): Secret {
  const message = create(SecretSchema, {
    id,
    secretMetadata: {
      createdTime: timestampFromDate(record.createdAt),
      type: TYPES[record.type],
      secretStatus: {
        overallStatus: overallStatus(record.clusters),
        clusterStatus: record.clusters.map(({ cluster, presence }) => ({
          cluster: { name: cluster },
          presenceStatus: PRESENCES[presence],
        })),
      },
    },
  });
  if (record.updatedAt && message.secretMetadata) {
    writeUpdatedTime(message.secretMetadata, timestampFromDate(record.updatedAt));
  }
  return message;
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
