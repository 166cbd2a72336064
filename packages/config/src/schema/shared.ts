import { byteSize, choice, duration, integer, ratio, section, text, toggle } from "./setting.ts";

/** `secrets`: the Global manager. */
export const secretsSection = section("The Global manager: secrets from the process's own environment and files.", {
  type: choice(["local"], { default: "local", about: "Kind of Global manager." }),
  "secrets-prefix": text({ default: "/etc/secrets", about: "Directory of its files, `<group>/<key>` below." }),
  "env-prefix": text({ default: "FLYTE_SECRET_", about: "Prefix of its variables, `<GROUP>_<KEY>` after it." }),
});

/** `cache`: how many values of cloud providers are held, and for how long. */
export const cacheSection = section("The cache of values from cloud providers.", {
  type: choice(["InMemoryFixedSize"], {
    default: "InMemoryFixedSize",
    about: "Kind of cache.",
    refused: { redis: "cannot be Redis: values must not leave the process; write `InMemoryFixedSize`" },
  }),
  inMemoryFixedSize: section("The cache in memory.", {
    size: byteSize({ default: "100M", about: "Bytes of values at the most." }),
    defaultExpiration: duration({ default: "24h", about: "How long a value is held." }),
    notFoundExpiration: duration({ default: "30s", about: "How long it is held that a secret isn't there." }),
    staleWhileDown: duration({
      default: "1h",
      about: "How much longer either is used while the secret manager is down; 0s: not at all.",
    }),
  }),
  fetchTimeout: duration({
    default: "8s",
    about:
      "Time limit of one call to a secret manager; stay below `webhook.webhookTimeout`, so that a pod is told which one was slow.",
  }),
  fetchesUnderWay: integer({
    default: 20_000,
    min: 1,
    about:
      "Secrets, at each of their scopes, that are asked of a secret manager at a time; pods that need more are told to try again.",
  }),
});

/** `logger`, shared with Flyte. */
export const loggerSection = section("The log.", {
  level: choice(["panic", "fatal", "error", "warn", "info", "debug"], {
    default: "warn",
    about:
      "Least severe level that is written. Flyte's numbers are read too: 0 panic, 1 fatal, 2 error, 3 warn, 4 info, 5 debug.",
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
      "Where it makes pods.",
      {
        namespace: text({
          default: "flyte",
          about:
            "Namespace of all pods of tasks and apps in Flyte 2: the default of `webhook.scopeBinding.trustedNamespaces`, and this process's own where no pod says otherwise.",
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
        "cannot be jaeger, whose own protocol is retired; Jaeger takes OTLP: write `otlphttp` and set otel.otlphttp.endpoint to http://HOST:4318/v1/traces",
    },
  }),
  file: section("A file.", {
    filename: text({ default: "/tmp/trace.txt", about: "Its path; one batch of spans a line, in OTLP's JSON." }),
  }),
  jaeger: section("Read for Flyte's sake; see `otel.type`.", {
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
      about: "All traces, or a share by trace id; a caller's own decision goes before it.",
    }),
    traceIdRatio: ratio({ default: 0.01, about: "That share." }),
  }),
});
