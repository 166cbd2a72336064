import { requireKubernetes } from "../e2e/kubernetes/cluster.ts";
import { requireFlyte } from "../e2e/support/flyte-python.ts";
import type { Requirement } from "../e2e/support/requirement.ts";
import { requireH2load } from "./h2load.ts";
import type { BarPlot, Plot, Series } from "./plot.ts";
import { type Cell, type Row, toNumber } from "./table.ts";

/** Something that is measured by itself, and how its results are shown. */
export interface Section {
  readonly title: string;
  /** What the columns are, and what the reference does: Markdown. */
  readonly about: string;
  readonly needs: readonly (() => Requirement)[];
  /** Loads what measures when it is called: showing results needs none of it. */
  readonly measure: () => Promise<readonly Row[]>;
  readonly plots?: (rows: readonly Row[]) => readonly Plot[];
  readonly bars?: (rows: readonly Row[]) => readonly BarPlot[];
  readonly goals?: (rows: readonly Row[]) => readonly Goal[];
}

/** Something that was to be reached. */
export interface Goal {
  readonly goal: string;
  /** Of several rounds, the median counts. Undefined: not measured. */
  readonly measured: Cell | undefined;
  readonly isAtMost?: boolean;
  readonly limit: number;
}

/** By the names under which `npm run bench` takes them, in the order of the report. */
export const SECTIONS: Readonly<Record<string, Section>> = {
  rpc: {
    title: "Service: calls a second",
    about: `Calls a second of \`serve\` on an embedded store, next to a bare Node server that answers the same bytes, over HTTP/2
with the same trailers, in turns. A get is served from memory or SQLite; a create waits for the disk.`,
    needs: [requireH2load],
    measure: async () => (await import("./rpc.ts")).benchRpc(),
    plots: (rows) => [
      byConnections("rpc-rate", "Gets a second by connections", rows, {
        ours: "ours",
        bare: "bare server",
        label: "gets/s",
      }),
      byConnections("rpc-cpu", "CPU time of a get by connections", rows, {
        ours: "CPU µs a call",
        bare: "bare, CPU µs",
        label: "CPU of the server's process, µs a call",
      }),
    ],
    goals: (rows) => [
      ...(["connect-json", "connect"] as const).flatMap((protocol) => {
        const row = find(rows, { what: `get, ${protocol}`, connections: 16 });
        return [
          {
            goal: `get over ${protocol}, 16 connections, of the bare server`,
            limit: 0.25,
            measured: row?.ratio,
          },
          {
            goal: `CPU of a get over ${protocol}, 16 connections, µs`,
            limit: 70,
            isAtMost: true,
            measured: row?.["CPU µs a call"],
          },
        ];
      }),
      {
        goal: "get over gRPC, 16 connections, of the bare server",
        limit: 0.35,
        measured: find(rows, { what: "get, grpc", connections: 16 })?.ratio,
      },
    ],
  },
  "kubernetes-service": {
    title: "Service over Kubernetes: calls a second",
    about: `Calls a second of \`serve\` over a real etcd and kube-apiserver, next to a bare client that makes the same request of the
API server, in turns. \`secret.kubernetes.qps\` and \`burst\` are out of the way but for the last line, whose 100 a second
and 200 at once are the defaults. Flyte's service in Go, measured once beside this API server alone, had 0.69 of its gets
over JSON, 0.64 over gRPC, 0.83 of its creates and 0.50 of its lists at 16 connections. It cannot be built from a
package registry, so the goals are set by those ratios.`,
    needs: [requireH2load, requireKubernetes],
    measure: async () => (await import("./kubernetes-service.ts")).benchKubernetesService(),
    goals: (rows) => {
      const of = (what: string) => find(rows, { what, connections: 16 });
      return [
        {
          goal: "get over JSON: 5 times Flyte's 0.69 of the API server",
          limit: 5 * 0.69,
          measured: of("get")?.ratio,
        },
        {
          goal: "get over gRPC: 4 times Flyte's 0.64 of it",
          limit: 4 * 0.64,
          measured: of("get, grpc")?.ratio,
        },
        {
          goal: "list of 100: 3 times Flyte's 0.50 of it",
          limit: 3 * 0.5,
          measured: of("list of 100")?.ratio,
        },
        { goal: "create: Flyte's 0.83 of it", limit: 0.83, measured: of("create")?.ratio },
        {
          goal: "CPU of a create, µs",
          limit: 300,
          isAtMost: true,
          measured: of("create")?.["CPU µs a call"],
        },
      ];
    },
  },
  pods: {
    title: "Pods through an API server",
    about: `Pods that a real kube-apiserver admits through one replica of the webhook, begun at a constant rate whether or not those
before were answered, next to a webhook that allows every pod unread, in turns. They are dry runs, since two cores store
only few a second: the API server calls the webhook for them all the same. Times are those of the whole creation.`,
    needs: [requireH2load, requireKubernetes],
    measure: async () => (await import("./pods.ts")).benchPods(),
    goals: (rows) =>
      rows.flatMap(({ "pods/s": rate, "p99 over it, ms": over, failed }) => [
        {
          goal: `p99 of ${rate} pods a second over that of a webhook that says yes, ms`,
          limit: 10,
          isAtMost: true,
          measured: over,
        },
        { goal: `pods that failed at ${rate} a second`, limit: 0, isAtMost: true, measured: failed },
      ]),
  },
  overload: {
    title: "Overload",
    about: `Goodput (answers of 2xx a second) under more load than can be served. In a closed loop each connection sends its next
request when its last is answered; in the open loop requests begin at the given rate, whether or not the server keeps up,
with as many as 1,000 in flight. \`of the peak\` compares with the most that was answered in a closed loop.`,
    needs: [requireH2load],
    measure: async () => (await import("./overload.ts")).benchOverload(),
    plots: (rows) => [
      {
        name: "overload",
        title: "Goodput by connections",
        x: { label: "connections, closed loop", scale: "log" },
        y: { label: "answers of 2xx a second", scale: "linear" },
        series: seriesBy(
          rows.filter(({ load }) => String(load).startsWith("closed")),
          { name: "what", x: "connections", y: "goodput, /s" },
        ),
      },
    ],
    goals: (rows) =>
      rows
        .filter(({ load }) => /times|twice/.test(String(load)))
        .map(({ what, load, "of the peak": measured }) => ({
          goal: `${what}, ${String(load).replace(/:.*/, "")}: goodput of the peak`,
          limit: 0.9,
          measured,
        })),
  },
  store: {
    title: "Embedded store: cost against size",
    about: `One call each on stores of different sizes, in turns. The first pages of the store are read; gets and reads visit ids all
over it.`,
    needs: [],
    measure: async () => (await import("./store.ts")).benchStore(),
    plots: (rows) => [
      {
        name: "store-size",
        title: "Cost of a call by the number of secrets",
        x: { label: "secrets in the store", scale: "log" },
        y: { label: "µs a call", scale: "log" },
        series: Object.keys(rows[0] ?? {})
          .filter((column) => column !== "secrets")
          .map((column) => ({
            name: column.replace(", µs", ""),
            points: rows.map((row) => ({ x: toNumber(row.secrets) ?? Number.NaN, y: toNumber(row[column]) })),
          })),
      },
    ],
  },
  "store-writes": {
    title: "Embedded store: concurrent writers",
    about: `Creates a second of concurrent writers of a store, and of 64 connections to \`serve\`, next to 4 KiB written durably
(\`fdatasync\`) one after the other in the same run: what a store could do that waits for the disk with each create.`,
    needs: [],
    measure: async () => (await import("./store-writes.ts")).benchStoreWrites(),
    goals: (rows) => [
      {
        goal: "creates of 64 writers, of the disk's own fsyncs",
        limit: 1.5,
        measured: find(rows, { writers: 64 })?.ratio,
      },
      {
        goal: "creates of 64 connections to `serve`, of the disk's own fsyncs",
        limit: 1.5,
        measured: find(rows, { writers: "64, by serve" })?.ratio,
      },
    ],
  },
  startup: {
    title: "Start",
    about: `CPU time and wall time from exec to exit, or until a server is ready, over a bare Node process of the same round; and
resident memory half a second later. \`BENCH_COMMAND\` measures another form of the command, such as the image's bundle
(\`npx node scripts/bundle-command.ts\`, [decision 294](../docs/decisions/0294-bundle-the-command-for-the-image.md)).`,
    needs: [],
    measure: async () => (await import("./startup.ts")).benchStartup(),
    bars: (rows) => [
      {
        name: "start",
        title: "Start: from exec to exit, or until ready",
        value: { label: "wall time, ms", scale: "linear" },
        bars: rows.map(({ what, "wall, ms": value }) => ({
          name: String(what),
          isReference: /^(?:node|a task in a bare)/.test(String(what)),
          value,
        })),
      },
    ],
    goals: (rows) => [
      ...(
        [
          ["--version", 30],
          ["serve, ready", 300],
          ["webhook, ready", 250],
        ] as const
      ).map(([what, limit]) => ({
        goal: `start, ms over a bare Node process: ${what}`,
        limit,
        isAtMost: true,
        measured: find(rows, { what })?.["over node -e 0, wall"],
      })),
      {
        goal: "resident memory of an idle `serve`, MiB",
        limit: 90,
        isAtMost: true,
        measured: find(rows, { what: "serve, ready" })?.["resident, MiB"],
      },
    ],
  },
  run: {
    title: "Local runs",
    about:
      "From exec to exit: a task under `flyte-secrets run`, next to a bare child process that calls the same task.",
    needs: [],
    measure: async () => (await import("./run.ts")).benchRun(),
    goals: (rows) => [
      {
        goal: "`run`, ms over the bare child",
        limit: 200,
        isAtMost: true,
        measured: find(rows, { what: "run, JavaScript, one secret" })?.["over the bare child, ms"],
      },
    ],
  },
  exec: {
    title: "Any program",
    about: `From exec to exit: a shell that reads one line, under \`flyte-secrets exec\`, next to a bare child that has the
same variable already; and what \`exec\` takes while the program runs. Beside it stands a shell that waits (\`guardian.ts\`).`,
    needs: [],
    measure: async () => (await import("./exec.ts")).benchExec(),
    goals: (rows) => [
      {
        goal: "`exec`, ms over the bare child",
        limit: 200,
        isAtMost: true,
        measured: find(rows, { what: "exec, a variable" })?.["over the bare child, ms"],
      },
    ],
  },
  users: {
    title: "What a user waits for",
    about: `From exec to exit. Our command and Flyte's (PyPI's \`flyte\`) call one service of ours over a real API server; \`kubectl\`
makes and reads the same Secrets without a service between. Client-side limits are out of the way. Flyte's command has no
import. The last line is the time until the task's first line is there: ours runs a TypeScript SDK's task that gets a
secret, Flyte's a Python task without one (\`flyte run --local\`).`,
    needs: [requireKubernetes, requireFlyte],
    measure: async () => (await import("./users.ts")).benchUsers(),
    bars: (rows) => [
      {
        name: "users",
        title: "What a user waits for",
        value: { label: "ms from exec to exit", scale: "log" },
        bars: rows.flatMap((row) =>
          ["flyte-secrets", "Flyte's command", "kubectl"].map((tool) => ({
            name: `${row.what}, ${tool}`.replaceAll("`", ""),
            isReference: tool !== "flyte-secrets",
            value: row[`${tool}, ms`],
          })),
        ),
      },
    ],
  },
  import: {
    title: "Import on one machine",
    about: `The command \`import\`, from exec to exit, next to bare SQLite that writes as many rows as durably, one after the other,
without sealing, checking or telling anybody.`,
    needs: [],
    measure: async () => (await import("./import.ts")).benchImport(),
  },
  listing: {
    title: "Listing on one machine",
    about: `\`get secret\` on this user's store, next to a bare Node process that prints the same rows of the same file.`,
    needs: [],
    measure: async () => (await import("./listing.ts")).benchListing(),
    plots: (rows) => [
      {
        name: "listing-size",
        title: "Listing by the number of secrets",
        x: { label: "secrets", scale: "log" },
        y: { label: "ms from exec to exit", scale: "log" },
        series: [
          ["get secret", "exec to exit, ms"],
          ["bare Node process", "bare Node process, ms"],
        ].map(([name = "", column = ""]) => ({
          name,
          isReference: name.startsWith("bare"),
          points: rows
            .filter(({ what }) => what === "get secret")
            .map((row) => ({ x: toNumber(row.rows) ?? Number.NaN, y: row[column] })),
        })),
      },
    ],
  },
  "kubernetes-import": {
    title: "Import and listing over Kubernetes",
    about: `Through a service over a real API server, from exec to exit, next to \`kubectl\`, which makes and lists as many of the same
Secrets without a service between. The last line has the default limits of a client (\`secret.kubernetes.qps\`, \`burst\`),
which decide it.`,
    needs: [requireKubernetes],
    measure: async () => (await import("./kubernetes-import.ts")).benchKubernetesImport(),
  },
  admission: {
    title: "Webhook: admissions a second",
    about: `Admissions a second of one process over HTTPS with kept-alive HTTP/1.1, a review of 6 KB with two containers, values in
memory. *Floor* reads the body, parses it and answers a constant patch of the same size; *bare* reads the body and
answers \`{}\`. The three stand side by side and get the load in short turns, each first in turn; all are started several
times, since no two processes of one program are equally quick. Ratios are the turns' own.`,
    needs: [requireH2load],
    measure: async () => (await import("./admission.ts")).benchAdmission(),
    plots: (rows) => [
      {
        name: "admission-rate",
        title: "Admissions a second by connections, 3 secrets",
        x: { label: "connections", scale: "log" },
        y: { label: "admissions/s", scale: "log" },
        series: ["ours", "floor", "bare"].map((name) => ({
          name,
          isReference: name !== "ours",
          points: rows
            .filter(({ what }) => what === "3 secrets, project, SecretRef")
            .map((row) => ({ x: toNumber(row.connections) ?? Number.NaN, y: row[name] })),
        })),
      },
    ],
    goals: (rows) =>
      rows
        .filter(({ connections }) => connections === 16)
        .map(({ what, "ours/floor": measured }) => ({
          goal: `admissions with ${what}, of the floor handler's`,
          limit: 0.85,
          measured,
        })),
  },
  "admission-in-process": {
    title: "Webhook: deciding alone",
    about: `From the bytes of the body to the text of the answer, in one process, without HTTP and TLS; the quickest of 400 turns.`,
    needs: [],
    measure: async () => (await import("./admission.ts")).benchAdmissionInProcess(),
  },
  "admission-scale": {
    title: "Webhook: processes and connections",
    about: `The load has the same cores as the two processes, so that two of the floor handler do not reach twice of one either.`,
    needs: [requireH2load],
    measure: async () => (await import("./admission.ts")).benchAdmissionScale(),
  },
  "admission-memory": {
    title: "Webhook: memory by admissions",
    about: `Resident memory under full load. With Node's defaults, the young generation of V8's heap is given twice the room once,
after some hundred thousand admissions.`,
    needs: [requireH2load],
    measure: async () => (await import("./admission.ts")).benchAdmissionMemory(),
  },
  memory: {
    title: "Memory over time",
    about: `Resident memory of both servers as the image starts them, under a steady load: a hundred gets a second over JSON, as many
over gRPC, and a hundred admissions a second.`,
    needs: [requireH2load],
    measure: async () => (await import("./memory.ts")).benchMemory(),
    plots: (rows) => [
      {
        name: "memory",
        title: "Resident memory under steady load",
        x: { label: "minutes", scale: "linear" },
        y: { label: "MiB", scale: "linear" },
        series: ["serve", "webhook"].map((name) => ({
          name,
          points: rows.map((row) => ({ x: toNumber(row["after, min"]) ?? Number.NaN, y: row[`${name}, MiB`] })),
        })),
      },
    ],
    goals: (rows) => [
      {
        goal: "resident memory of `serve` under load, MiB",
        limit: 200,
        isAtMost: true,
        measured: Math.max(...rows.map((row) => toNumber(row["serve, MiB"]) ?? Number.NaN)),
      },
    ],
  },
  "kubernetes-scale": {
    title: "Webhook over many managed Secrets",
    about: `\`flyte-secrets webhook\` with type K8s and delivery SecretRef over a real API server; 16 connections send pods of 700
bytes that ask for three secrets.`,
    needs: [requireH2load, requireKubernetes],
    measure: async () => (await import("./kubernetes-scale.ts")).benchKubernetesScale(),
    plots: (rows) => [
      {
        name: "webhook-memory-size",
        title: "Resident memory of the webhook by managed Secrets",
        x: { label: "managed Secrets", scale: "log" },
        y: { label: "MiB", scale: "linear" },
        series: ["resident when ready, MiB", "after the load, MiB"].map((column) => ({
          name: column.replace(", MiB", ""),
          points: rows.map((row) => ({ x: toNumber(row["managed Secrets"]) ?? Number.NaN, y: row[column] })),
        })),
      },
    ],
    goals: (rows) => {
      const row = find(rows, { "managed Secrets": 10_000 });
      return [
        {
          goal: "start of `webhook` over 10,000 managed Secrets, ms over a bare Node process",
          limit: 700,
          isAtMost: true,
          measured: row?.["over node -e 0, ms"],
        },
        {
          goal: "resident memory of that, MiB",
          limit: 100,
          isAtMost: true,
          measured: row?.["resident when ready, MiB"],
        },
      ];
    },
  },
  rotation: {
    title: "Rotation",
    about: `From sending an update to the answer of the first admission with the new value, on each of three replicas, which are
asked every 2 ms. The first admission of a new value writes the Secret that the pod refers to.`,
    needs: [requireKubernetes],
    measure: async () => (await import("./rotation.ts")).benchRotation(),
    goals: (rows) => [{ goal: "rotation, p99 ms", limit: 100, isAtMost: true, measured: rows[0]?.["p99 ms"] }],
  },
};

/** The row whose cells are those wanted. */
function find(rows: readonly Row[], wanted: Row): Row | undefined {
  return rows.find((row) => Object.entries(wanted).every(([column, cell]) => row[column] === cell));
}

/** A line for each text of column `name`, in the order of the rows. */
function seriesBy(rows: readonly Row[], { name, x, y }: { name: string; x: string; y: string }): Series[] {
  return [...Map.groupBy(rows, (row) => String(row[name]))].map(([text, own]) => ({
    name: text,
    points: own.map((row) => ({ x: toNumber(row[x]) ?? Number.NaN, y: row[y] })).toSorted((a, b) => a.x - b.x),
  }));
}

function byConnections(
  name: string,
  title: string,
  rows: readonly Row[],
  columns: { ours: string; bare: string; label: string },
): Plot {
  const gets = rows.filter(({ what }) => String(what).startsWith("get"));
  const named = (column: string, prefix: string) =>
    seriesBy(gets, { name: "what", x: "connections", y: column }).map((series, colour) => ({
      ...series,
      colour,
      name: series.name.replace("get, ", prefix),
    }));
  return {
    name,
    title,
    x: { label: "connections", scale: "log" },
    y: { label: columns.label, scale: "log" },
    series: [
      ...named(columns.ours, ""),
      ...named(columns.bare, "bare, ").map((series) => ({ ...series, isReference: true })),
    ],
  };
}
