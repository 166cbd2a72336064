import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { listenInTest } from "@flyte-secrets/testkit/vitest";

/** A span as it was received, its attributes as a plain object. */
export interface ReceivedSpan {
  readonly service: unknown;
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId: string | undefined;
  /** 2 is an error (https://opentelemetry.io/docs/specs/otel/trace/api/#set-status). */
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface AnyValue {
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
  readonly [kind: string]: unknown;
}
type KeyValues = readonly { readonly key: string; readonly value: AnyValue }[];
interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: KeyValues };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly parentSpanId?: string;
        readonly status: { readonly code: number };
        readonly attributes: KeyValues;
      }[];
    }[];
  }[];
}

/** Receives traces over OTLP/HTTP on loopback, until the test is over. */
export async function startCollector() {
  const bodies: string[] = [];
  const server = createServer(async (req, res) => {
    bodies.push(await text(req));
    res.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const url = await listenInTest(server);
  return {
    url: `${url}/v1/traces`,
    /** All that was sent, as it was sent. */
    received: () => bodies.join("\n"),
    spans: () => bodies.flatMap(spansIn),
  };
}

/** The spans in a request of OTLP in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
export function spansIn(body: string): ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(body) as TraceRequest;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ name, traceId, parentSpanId, status, attributes }) => ({
        service: toObject(resource.attributes)["service.name"],
        name,
        traceId,
        parentSpanId,
        status: status.code,
        attributes: toObject(attributes),
      })),
    ),
  );
}

function toObject(attributes: KeyValues): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toPlain(value)]));
}

function toPlain(value: AnyValue): unknown {
  return value.arrayValue ? (value.arrayValue.values ?? []).map(toPlain) : Object.values(value)[0];
}
