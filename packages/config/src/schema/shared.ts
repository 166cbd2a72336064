import { byteSize, choice, duration, integer, ratio, section, text, toggle } from "./setting.ts";

/** `secrets`: the Global manager. */
export const secretsSection = section("The Global manager: secrets from the process's own environment and files.", {
  type: choice(["local"], { default: "local", about: "Kind of Global manager." }),
  "secrets-prefix": text({ default: "/etc/secrets", about: "Directory of its files, named `<group>/<key>`." }),
  "env-prefix": text({ default: "FLYTE_SECRET_", about: "Prefix of its variables, followed by `<GROUP>_<KEY>`." }),
});

/** `cache`: how many values of cloud providers are held, and for how long. */
export const cacheSection = section("The cache of values from cloud providers.", {
  type: choice(["InMemoryFixedSize"], {
    default: "InMemoryFixedSize",
    about: "Kind of cache.",
    refused: { redis: "cannot be Redis: values must not leave the process; write `InMemoryFixedSize`" },
  }),
  inMemoryFixedSize: section("The cache in memory.", {
    size: byteSize({ default: "100M", about: "Maximum size of the values in bytes." }),
    defaultExpiration: duration({ default: "24h", about: "How long a value is cached." }),
    notFoundExpiration: duration({ default: "30s", about: "How long the absence of a secret is cached." }),
    staleWhileDown: duration({
      default: "1h",
      about: "How much longer both are used while the secret manager is down; 0s: not at all.",
    }),
  }),
  fetchTimeout: duration({
    default: "8s",
    about:
      "Time limit of one call to a secret manager. Keep it below `webhook.webhookTimeout`, so that the rejection " +
      "of a pod names the slow one.",
  }),
  fetchesUnderWay: integer({
    default: 20_000,
    min: 1,
    about:
      "Maximum number of lookups in flight at a secret manager, one for each scope of a secret. Pods that need " +
      "more are rejected and may be retried.",
  }),
});

/** `logger`, shared with Flyte. */
export const loggerSection = section("The log.", {
  level: choice(["panic", "fatal", "error", "warn", "info", "debug"], {
    default: "warn",
    about:
      "Least severe level that is written. Flyte's numbers are accepted too: 0 panic, 1 fatal, 2 error, 3 warn, 4 " +
      "info, 5 debug.",
    alias: { "0": "panic", "1": "fatal", "2": "error", "3": "warn", "4": "info", "5": "debug", warning: "warn" },
  }),
  "show-source": toggle({ default: false, about: "Add the file and line that wrote an entry." }),
  mute: toggle({ default: false, about: "Write nothing." }),
  formatter: section("The form of an entry.", {
    type: choice(["auto", "json", "text", "gcp"], {
      default: "auto",
      about: "`auto` is `text` on a terminal and `json` elsewhere; `gcp` is JSON with Google Cloud's field names.",
    }),
  }),
});

/** `executor`: three keys of a section that Flyte uses for much else. */
export const executorSection = section(
  "Addresses of the webhook's probes and metrics. Other keys of this section are Flyte's and are ignored.",
  {
    healthProbeBindAddress: text({ default: ":8081", about: "Address of `/healthz` and `/readyz`." }),
    metricsBindAddress: text({ default: ":10254", about: "Address of `/metrics`." }),
    metricsSecure: toggle({ default: true, about: "Serve metrics over HTTPS." }),
  },
  { open: true },
);

/** `actions`: one key of a section that Flyte uses for much else. */
export const actionsSection = section(
  "Flyte's service of actions. Other keys of this section are Flyte's and are ignored.",
  {
    kubernetes: section(
      "Where it creates pods.",
      {
        namespace: text({
          default: "flyte",
          about:
            "Namespace of all pods of tasks and apps in Flyte 2. Default of " +
            "`webhook.scopeBinding.trustedNamespaces`, and of this process's own namespace outside of a pod.",
        }),
      },
      { open: true },
    ),
  },
  { open: true },
);

/** `otel`, shared with Flyte: where traces go. */
export const otelSection = section("OpenTelemetry traces.", {
  type: choice(["noop", "file", "otlpgrpc", "otlphttp"], {
    default: "noop",
    about: "Exporter; `noop` traces nothing.",
    refused: {
      jaeger:
        "cannot be jaeger, whose own protocol is retired; Jaeger takes OTLP: write `otlphttp` and set " +
        "otel.otlphttp.endpoint to http://HOST:4318/v1/traces",
    },
  }),
  file: section("A file.", {
    filename: text({ default: "/tmp/trace.txt", about: "Its path. Each line is a batch of spans in OTLP's JSON." }),
  }),
  jaeger: section("Accepted for compatibility with Flyte; see `otel.type`.", {
    endpoint: text({ default: "http://localhost:14268/api/traces", about: "Without effect.", effect: "never" }),
  }),
  otlpgrpc: section("OTLP over gRPC.", {
    endpoint: text({ default: "http://localhost:4317", about: "Address of the collector." }),
  }),
  otlphttp: section("OTLP over HTTP.", {
    endpoint: text({ default: "http://localhost:4318/v1/traces", about: "URL of the collector." }),
  }),
  sampler: section("Which traces are kept.", {
    parentSampler: choice(["always", "traceid"], {
      default: "always",
      about: "All traces, or a share of them by trace id. The sampling decision of a caller takes precedence.",
    }),
    traceIdRatio: ratio({ default: 0.01, about: "The share for `traceid`." }),
  }),
});
