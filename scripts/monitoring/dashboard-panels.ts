/** One line, or several of one query. */
export interface Query {
  /** PromQL, with `$scope` where the matchers of the dashboard's variables stand. */
  readonly expr: string;
  /** Grafana's form: labels in `{{ }}`. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What to think of it, in one sentence or two. */
  readonly about: string;
  /** Grafana's name of a unit. */
  readonly unit: "ops" | "s" | "percentunit" | "bytes" | "short";
  readonly queries: readonly Query[];
}

export interface PanelRow {
  readonly title: string;
  /** Three, so that they fill the width. */
  readonly panels: readonly [Panel, Panel, Panel];
}

const WEBHOOK = 'webhook="/mutate--v1-pod", $scope';
const SERVICE = 'rpc_service="flyteidl2.secret.SecretService", $scope';

/** What only our processes have. */
const OURS = '{__name__=~"flyte_secrets_requests_limit_bytes|rpc_server_requests_limit_bytes"}';

const quantile = (share: number, metric: string, matchers: string, by = "") =>
  `histogram_quantile(${share}, sum by (le${by}) (rate(${metric}_bucket{${matchers}}[$__rate_interval])))`;
const rate = (metric: string, by: string, matchers = "$scope") =>
  `sum by (${by}) (rate(${metric}{${matchers}}[$__rate_interval]))`;

/** The dashboard: what is looked at first stands above. */
export const PANEL_ROWS: readonly PanelRow[] = [
  {
    title: "Admissions",
    panels: [
      {
        title: "Admissions by outcome",
        about: "Rejected pods are their authors' mistakes, or faults of the installation: see the codes.",
        unit: "ops",
        queries: [{ expr: rate("flyte_secrets_admissions_total", "outcome"), legend: "{{outcome}}" }],
      },
      {
        title: "Admissions by namespace, the ten busiest",
        about: "Namespaces that scopeBinding knows; the rest is `other`.",
        unit: "ops",
        queries: [
          {
            expr: `topk(10, ${rate("flyte_secrets_admissions_total", "pod_namespace")})`,
            legend: "{{pod_namespace}}",
          },
        ],
      },
      {
        title: "Secrets given, by manager and scope",
        about: "Where the secrets came from that pods got.",
        unit: "ops",
        queries: [{ expr: rate("flyte_secrets_injections_total", "manager, scope"), legend: "{{manager}} {{scope}}" }],
      },
    ],
  },
  {
    title: "Latency and rejections",
    panels: [
      {
        title: "Latency of an admission",
        about: "From a request to its answer. The API server waits for webhook.webhookTimeout.",
        unit: "s",
        queries: [0.5, 0.9, 0.99].map((share) => ({
          expr: quantile(share, "controller_runtime_webhook_latency_seconds", WEBHOOK),
          legend: `p${share * 100}`,
        })),
      },
      {
        title: "Rejections by code",
        about: "docs/errors.md says what each code means.",
        unit: "ops",
        queries: [{ expr: rate("flyte_secrets_rejections_total", "code"), legend: "{{code}}" }],
      },
      {
        title: "Refused claims by rule",
        about:
          "Pods that claim a project and domain which their namespace may not; warned with scopeBinding.mode warn.",
        unit: "ops",
        queries: [
          { expr: rate("flyte_secrets_refused_claims_total", "outcome, rule"), legend: "{{outcome}} {{rule}}" },
        ],
      },
    ],
  },
  {
    title: "Values",
    panels: [
      {
        title: "Lookups",
        about: "From memory in the steady state.",
        unit: "ops",
        queries: [{ expr: rate("flyte_secrets_lookups_total", "from"), legend: "{{from}}" }],
      },
      {
        title: "Age of the watch",
        about: "A sign of life comes every 75 s at the latest; with more than 150 s it is lost.",
        unit: "s",
        queries: [
          {
            expr: "max by (pod, instance) (flyte_secrets_watch_silent_seconds{$scope})",
            legend: "{{pod}} {{instance}}",
          },
        ],
      },
      {
        title: "Values used past their expiry",
        about: "More than none: the secret manager is down, and what it last said is used.",
        unit: "ops",
        queries: [{ expr: rate("flyte_secrets_expired_uses_total", "reason"), legend: "{{reason}}" }],
      },
    ],
  },
  {
    title: "Secret manager and API server",
    panels: [
      {
        title: "Fetches from the secret manager, by outcome",
        about: "Anything but ok is an error of the manager, or of its rights.",
        unit: "ops",
        queries: [{ expr: rate("flyte_secrets_fetches_total", "outcome"), legend: "{{outcome}}" }],
      },
      {
        title: "Latency of the secret manager",
        about: "Of one id. cache.fetchTimeout ends it.",
        unit: "s",
        queries: [0.5, 0.99].map((share) => ({
          expr: quantile(share, "flyte_secrets_fetch_duration_seconds", "$scope"),
          legend: `p${share * 100}`,
        })),
      },
      {
        title: "API server: requests by status, and the wait for a turn",
        about: "429 is the server's throttling, 0 no answer. The wait is kubeClientConfig's qps and burst.",
        unit: "short",
        queries: [
          { expr: rate("flyte_secrets_kube_requests_total", "verb, code"), legend: "{{verb}} {{code}} /s" },
          { expr: quantile(0.9, "flyte_secrets_kube_request_wait_seconds", "$scope"), legend: "wait p90, s" },
        ],
      },
    ],
  },
  {
    title: "Budgets",
    panels: [
      {
        title: "Requests in flight: share of their memory",
        about:
          "At 100 % the one gives way that has taken up most for longest (webhook.limits.allBodiesBytes, " +
          "secret.server.limits.bodyBytes).",
        unit: "percentunit",
        queries: [
          {
            expr:
              "max by (pod, instance) (flyte_secrets_requests_bytes{$scope} / " +
              "flyte_secrets_requests_limit_bytes{$scope})",
            legend: "{{pod}} {{instance}}",
          },
          {
            expr: "max by (pod, instance) (rpc_server_requests_bytes{$scope} / rpc_server_requests_limit_bytes{$scope})",
            legend: "{{pod}} {{instance}}",
          },
        ],
      },
      {
        title: "Requests in flight",
        about: "Admissions that wait for their answer.",
        unit: "short",
        queries: [
          {
            expr: `sum by (pod, instance) (controller_runtime_webhook_requests_in_flight{${WEBHOOK}})`,
            legend: "{{pod}} {{instance}}",
          },
        ],
      },
      {
        title: "Days until the certificate ends",
        about: "Renewed eight months after it was made, or by cert-manager.",
        unit: "short",
        queries: [
          {
            expr: "min by (job) (flyte_secrets_certificate_expiry_timestamp_seconds{$scope} - time()) / 86400",
            legend: "{{job}}",
          },
        ],
      },
    ],
  },
  {
    title: "Secret service",
    panels: [
      {
        title: "Calls by method",
        about: "Of SecretService.",
        unit: "ops",
        queries: [{ expr: rate("rpc_server_duration_seconds_count", "rpc_method", SERVICE), legend: "{{rpc_method}}" }],
      },
      {
        title: "Latency of the store, by method (p99)",
        about: "From a call's headers to the end of its answer.",
        unit: "s",
        queries: [
          {
            expr: quantile(0.99, "rpc_server_duration_seconds", SERVICE, ", rpc_method"),
            legend: "{{rpc_method}}",
          },
        ],
      },
      {
        title: "Calls that failed, by code",
        about: "internal and unavailable are the installation's, the others the caller's.",
        unit: "ops",
        queries: [
          { expr: rate("rpc_server_duration_seconds_count", "code", `code!="ok", ${SERVICE}`), legend: "{{code}}" },
        ],
      },
    ],
  },
  {
    title: "Pods and processes",
    panels: [
      {
        title: "Written Secrets",
        about: "Those that no pod was seen to name are swept after their hour.",
        unit: "short",
        queries: [{ expr: "max by (named) (flyte_secrets_written_secrets{$scope})", legend: "named: {{named}}" }],
      },
      {
        title: "Memory",
        about: "The chart's limit is 512 MiB.",
        unit: "bytes",
        queries: [
          {
            expr: `sum by (pod, instance) (process_resident_memory_bytes{$scope} and on (job, instance) ${OURS})`,
            legend: "{{pod}} {{instance}}",
          },
        ],
      },
      {
        title: "Processor time",
        about: "Cores, of which one process uses little more than one.",
        unit: "short",
        queries: [
          {
            expr:
              "sum by (pod, instance) (rate(process_cpu_seconds_total{$scope}[$__rate_interval]) and on (job, " +
              `instance) ${OURS})`,
            legend: "{{pod}} {{instance}}",
          },
        ],
      },
    ],
  },
];
