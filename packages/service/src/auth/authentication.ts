import type { ServiceImpl } from "@connectrpc/connect";
import type { AuthMetadataService } from "@flyte-secrets/idl";

/** How callers say who they are, and how they learn to. */
export interface Authentication {
  /** Throws `unauthenticated` unless the headers carry what the server asks for. */
  authorise(headers: Headers): void | Promise<void>;
  /** Tells clients how to authenticate; answered without credentials. */
  readonly handlers: ServiceImpl<typeof AuthMetadataService>;
  /** The issuer's own metadata (RFC 8414); undefined where there is no issuer. */
  issuerMetadata(): Promise<object> | undefined;
  /** Ends what is under way. */
  close(): void;
}
