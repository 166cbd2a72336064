import type { BackendFault } from "@flyte-secrets/testkit/vitest";
import { protos } from "@google-cloud/secret-manager";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";

const { AccessSecretVersionRequest, AccessSecretVersionResponse } = protos.google.cloud.secretmanager.v1;
type Request = protos.google.cloud.secretmanager.v1.IAccessSecretVersionRequest;
type Response = protos.google.cloud.secretmanager.v1.IAccessSecretVersionResponse;

const STATUS: Partial<Readonly<Record<BackendFault, status>>> = {
  forbidden: status.PERMISSION_DENIED,
  throttled: status.RESOURCE_EXHAUSTED,
  broken: status.INTERNAL,
  gone: status.UNAVAILABLE,
};

export interface FakeGcp {
  readonly port: number;
  /** By secret id: bytes, none for a version without payload, or a gRPC status. */
  readonly secrets: Map<string, Uint8Array | undefined | status>;
  fail(fault: BackendFault | undefined): void;
  close(): Promise<void>;
}

/** Secret Manager's one call that is used, over gRPC (https://cloud.google.com/secret-manager/docs/reference/rpc). */
export async function startFakeGcp(): Promise<FakeGcp> {
  let fault: BackendFault | undefined;
  const secrets: FakeGcp["secrets"] = new Map();
  const server = new Server();
  const access = (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) => {
    if (fault === "silent") return;
    const code = fault && STATUS[fault];
    if (code !== undefined) return done({ code, details: "no" });
    const [, project, , secret = "", , version] = (call.request.name ?? "").split("/");
    const stored = secrets.get(secret);
    if (project !== "my-project" || version !== "latest") return done({ code: status.INVALID_ARGUMENT });
    if (fault !== "lying" && !secrets.has(secret))
      return done({ code: status.NOT_FOUND, details: `Secret [${secret}] not found` });
    if (typeof stored === "number") return done({ code: stored, details: "no" });
    const name = `projects/123/secrets/${fault === "lying" ? "another" : secret}/versions/4`;
    done(null, { name, ...(stored && { payload: { data: stored } }) });
  };
  const path = "/google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion";
  server.addService(
    {
      accessSecretVersion: {
        path,
        requestStream: false,
        responseStream: false,
        requestSerialize: (request: Request) => Buffer.from(AccessSecretVersionRequest.encode(request).finish()),
        requestDeserialize: (bytes: Buffer) => AccessSecretVersionRequest.decode(bytes),
        responseSerialize: (response: Response) => Buffer.from(AccessSecretVersionResponse.encode(response).finish()),
        responseDeserialize: (bytes: Buffer) => AccessSecretVersionResponse.decode(bytes),
      },
    },
    { accessSecretVersion: access },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    secrets,
    fail(next) {
      fault = next;
    },
    async close() {
      server.forceShutdown();
    },
  };
}
