import type { PagePlan } from "./follow-page.ts";
import { root } from "./page-blocks.ts";

/** Ends in a command that does nothing, so that others can follow on the line. */
const file = (name: string, text: string) => `cat > ${name} <<'EOF'\n${text}\nEOF\n:`;
const keep = (name: string, scope = "") =>
  `flyte-secrets delete secret ${name} ${scope} --yes > /dev/null 2>&1 || true; ` +
  `printf value-of-this-test | flyte-secrets create secret ${name} ${scope} --from-file -`;
const drop = (name: string, scope = "") =>
  `flyte-secrets delete secret ${name} ${scope} --yes > /dev/null 2>&1 || true`;
/** As `npm install` leaves it in a project. */
const SDK = `mkdir -p node_modules/@flyte-secrets && ln -sfn ${root}/packages/sdk node_modules/@flyte-secrets/sdk`;
const TASKS = file(
  "tasks.ts",
  `import { task } from "@flyte-secrets/sdk";
const body = async (input: { epochs?: number }) => input?.epochs ?? 0;
export const train = task({ name: "train", secrets: "openai-key" }, body);
export const hello = task({ name: "hello", secrets: "my-api-key" }, async () => "hello");`,
);
const POD = `awk '/^\`\`\`yaml/ { on = 1; next } /^\`\`\`/ { if (on) exit } on' ${root}/docs/injection.md > pod.yaml`;
const DOCKER = `mkdir -p ~/.docker && ${file("~/.docker/config.json", '{ "auths": { "ghcr.io": { "auth": "b2N0b2NhdDpzZWNyZXQ=" } } }')}`;
const SECRET = file(
  "secret.yaml",
  'apiVersion: v1\nkind: Secret\nmetadata: { name: from-cluster }\nstringData: { of-a-manifest: "value" }',
);

const typed = { typed: "value-of-this-test" };
const byAgents = { notRun: "agents start it: serve-mcp.test.ts does, and e2e/agents.test.ts" };
const served = { notRun: "servers run in the tests of README.md and of the commands" };
const usesFlyte = { notRun: "needs Flyte's SDK: e2e/python runs it" };
const inCluster = { notRun: "needs a cluster: e2e/kubernetes and e2e/installation run it" };

/** Both leave nothing behind that the other would find at its target. */
const copies = (verb: "copy" | "move"): PagePlan => ({
  [`flyte-secrets ${verb} api-key -p shop -d development --to-project shop --to-domain production`]: {
    given: `${keep("api-key", "-p shop -d development")}; ${drop("api-key", "-p shop -d production")}`,
  },
  [`flyte-secrets ${verb} --all -d development --to-domain staging --dry-run`]: {
    given: keep("api-key", "-d development"),
  },
  [`flyte-secrets ${verb} api-key -d production --to-name payment-key`]: {
    given: `${keep("api-key", "-d production")}; ${drop("payment-key", "-d production")}`,
  },
});

/** Pages whose commands run on one machine, in the order of the page; README has a test of its own. */
export const LAPTOP_PAGES: Readonly<Record<string, PagePlan>> = {
  "docs/local-runs.md": {
    "flyte-secrets run FILE TASK": { notRun: "the form of the command, not one to type" },
    "flyte-secrets create secret openai-key --domain production": { given: SDK, ...typed },
    "flyte-secrets exec -s openai-key -- python train.py --epochs 3": {
      given: `${keep("openai-key")}; ${file("train.py", 'import os, sys; print(sys.argv[1:], len(os.environ["OPENAI_KEY"]))')}`,
      instead: "flyte-secrets exec -s openai-key -- python3 train.py --epochs 3",
      prints: /^\['--epochs', '3'\] 18$/m,
    },
    "flyte-secrets read ghcr-token | docker login ghcr.io -u octocat --password-stdin": {
      given: `${keep("ghcr-token")}; ${file("app.json.tpl", '{ "token": {{ secret "ghcr-token" | json }} }')}`,
      instead: "flyte-secrets read ghcr-token | wc -c\nflyte-secrets inject -i app.json.tpl -o app.json\ncat app.json",
      prints: /^18\n\{ "token": "value-of-this-test" \}$/m,
    },
    "flyte-secrets run -p shop -d production hello.py main --name you": usesFlyte,
  },
  "docs/agents.md": {
    "flyte-secrets exec --redact -s openai-key -- python train.py": {
      given: `${keep("openai-key")}; ${file("train.py", 'import os; print(os.environ["OPENAI_KEY"])')}`,
      instead: "flyte-secrets exec --redact -s openai-key -- python3 train.py",
      prints: /^<secret openai-key>$/m,
    },
  },
  "docs/project-file.md": {
    "flyte-secrets exec -- pytest": {
      given: `${keep("openai-key")}; ${keep("password")}; ${keep("service-account")}`,
      instead: "flyte-secrets exec -- sh -c 'printf %s $OPENAI_KEY$PGPASSWORD | wc -c'",
      prints: /^36$/m,
    },
    "flyte-secrets exec --environment production -- ./report.sh": {
      given: `${file("report.sh", "#!/bin/sh\ncat $GOOGLE_APPLICATION_CREDENTIALS | wc -c")}; chmod +x report.sh`,
      prints: /^18$/m,
    },
  },
  "docs/check.md": { "flyte-secrets check hello.py -p shop -d production": usesFlyte },
  "docs/sdk.md": {
    "npm install ~/flyte-secrets-packages/flyte-secrets-sdk-*.tgz": {
      instead: SDK,
    },
    "flyte-secrets create secret openai-key": { ...typed, given: drop("openai-key") },
    "openssl rand -hex 16 | flyte-secrets create secret db-password --from-file -": { given: drop("db-password") },
    "flyte-secrets run tasks.ts main": {
      prints: /^\["the key has 18 characters","the password has 3[23] characters"\]$/m,
    },
  },
  "docs/embedded-store.md": {
    "flyte-secrets token rotate": { given: keep("api-key") },
    "install -d -m 700 ~/.flyte-secrets": {
      given: "mkdir ~/kept && mv ~/.flyte-secrets ~/kept/before",
      instead:
        "install -d -m 700 ~/.flyte-secrets\ninstall -m 600 ~/kept/before/master.key ~/.flyte-secrets/master.key\n" +
        "flyte-secrets restore secrets-2026-08-01.db\nflyte-secrets get secret | grep api-key",
    },
  },
  "docs/import-export.md": { "{": inCluster },
  "docs/injection.md": {
    "flyte-secrets explain -f pod.yaml -o table-simple": {
      given: `${keep("api-key", "-p shop -d development")}; ${keep("db-conf")}`,
    },
    "flyte-secrets mutate -f pod.yaml --webhook.secretManagerTypes AWS": { exitCode: 1 },
    "flyte-secrets doctor --pods pod.yaml": { exitCode: 1 },
  },
  "docs/service.md": {
    "TOKEN=$(cat ~/.flyte-secrets/token)": { beside: { script: "flyte-secrets serve", ready: /^Stop: Ctrl-C$/m } },
    'grpcurl -plaintext -H "authorization: Bearer $TOKEN" 127.0.0.1:8093 list': {
      notRun: "e2e/clients/grpcurl.test.ts builds the program and calls all of it",
    },
  },
  "examples/README.md": {
    "flyte-secrets create secret my-api-key": { ...typed, given: `cd ${root}` },
    "npm run demo": { notRun: ".ci/run runs it" },
  },
  "docs/cli.md": {
    "flyte-secrets create secret api-key": { given: drop("api-key"), ...typed },
    "flyte-secrets create secret api-key --project shop --domain production": typed,
    "flyte-secrets create secret tls-key --from-file key.pem": { given: file("key.pem", "a key") },
    "flyte-secrets create secret db-password --from-file - < password.txt": { given: file("password.txt", "word") },
    "flyte-secrets create secret ghcr --type image_pull --registry ghcr.io --username octocat": {
      instead:
        "flyte-secrets create secret ghcr --type image_pull --registry ghcr.io --username octocat --password of-this-test",
    },
    "flyte-secrets create secret ghcr --type image_pull --from-docker-config --registries ghcr.io": {
      given: `${drop("ghcr")}; ${DOCKER}`,
    },
    "flyte-secrets update secret api-key": typed,
    "flyte-secrets update secret api-key --project shop --domain production --from-file new-key.txt": {
      given: file("new-key.txt", "new"),
    },
    "flyte-secrets delete secret api-key": { instead: "flyte-secrets delete secret api-key --yes" },
    "flyte-secrets delete secret api-key -p shop -d production --yes": {
      given: keep("api-key", "-p shop -d production"),
    },
    "flyte-secrets import .env --project shop --domain development": { given: file(".env", "FROM_ENV='value'") },
    "flyte-secrets import secrets.json --dry-run": { given: file("secrets.json", '{ "from-json": "value" }') },
    "flyte-secrets import --format kubernetes - < secret.yaml": { given: SECRET },
    "flyte-secrets import prod.env -d production --overwrite": { given: file("prod.env", "FROM_ENV='value'") },
    "flyte-secrets import --format kubernetes - < managed-secrets.yaml": {
      given:
        `${keep("managed", "-d staging")}; ` +
        "flyte-secrets export -d staging --with-values --format kubernetes | cat > managed-secrets.yaml; " +
        drop("managed", "-d staging"),
    },
    "flyte-secrets import many.json --skip-existing": { given: file("many.json", '{ "of-many": "value" }') },
    ...copies("copy"),
    ...copies("move"),
    // There is none of that group, and it says where it looked.
    "flyte-secrets explain password --group my-db-credentials -p shop -d production --mount env": {
      given: drop("password", "-p shop -d production"),
      exitCode: 1,
    },
    "flyte-secrets explain api-key": { given: keep("api-key") },
    "flyte-secrets explain hello.py main": usesFlyte,
    "flyte-secrets run -p shop -d production hello.py main --x 1": usesFlyte,
    "flyte-secrets exec --from hello.py:main -- pytest": usesFlyte,
    "flyte-secrets exec --environment staging -- pytest": {
      given: `${file("flyte-secrets.yaml", "secrets: [{ key: openai-key }]\nenvironments: { staging: {} }")}; ${keep("openai-key")}`,
      instead:
        "flyte-secrets exec --environment staging -- sh -c 'printf %s $OPENAI_KEY | wc -c'; rm flyte-secrets.yaml",
      prints: /^18$/m,
    },
    "flyte-secrets init tasks.ts": {
      given: `${SDK}; ${TASKS}`,
      instead: "flyte-secrets init tasks.ts && rm flyte-secrets.yaml",
    },
    "flyte-secrets init hello.py -p shop -d development": usesFlyte,
    "flyte-secrets check hello.py -p shop -d production": usesFlyte,
    "flyte-secrets check tasks.ts flyte-secrets.yaml --require narrowest-scope": {
      given:
        `${SDK}; ${TASKS}; ${keep("openai-key", "-p flytesnacks -d development")}; ` +
        `${keep("my-api-key", "-p flytesnacks -d development")}; ` +
        "flyte-secrets init tasks.ts --force > /dev/null",
      instead: "flyte-secrets check tasks.ts flyte-secrets.yaml --require narrowest-scope && rm flyte-secrets.yaml",
    },
    "flyte-secrets check pod.yaml -o junit > secrets.xml": {
      given: `${POD}; ${keep("api-key", "-p shop -d development")}; ${keep("db-conf")}`,
    },
    "flyte-secrets check hello.py --cluster": inCluster,
    "flyte-secrets explain tasks.ts train -p shop -d production": { given: `${SDK}; ${TASKS}; ${keep("openai-key")}` },
    "flyte-secrets export -p shop -d production --with-values --to-file prod.env": {
      given: `rm -f prod.env; ${keep("api-key", "-p shop -d production")}`,
    },
    "flyte-secrets export --with-values --format kubernetes | kubectl apply -f -": {
      instead: "flyte-secrets export --with-values --format kubernetes | grep -q 'kind: Secret'",
    },
    "flyte-secrets export --with-values --for sh --to-file job.env": { given: drop("ghcr") },
    "flyte-secrets run tasks.ts train": { given: `${SDK}; ${TASKS}; ${keep("openai-key")}` },
    "flyte-secrets exec -s openai-key -- python train.py --epochs 3": {
      given: `${keep("openai-key")}; ${file("train.py", 'import os; print(len(os.environ["OPENAI_KEY"]))')}`,
      instead: "flyte-secrets exec -s openai-key -- python3 train.py --epochs 3",
      prints: /^18$/m,
    },
    "flyte-secrets exec --redact -s openai-key -- python train.py": {
      given: `${keep("openai-key")}; ${file("train.py", 'import os; print(os.environ["OPENAI_KEY"])')}`,
      instead: "flyte-secrets exec --redact -s openai-key -- python3 train.py",
      prints: /^<secret openai-key>$/m,
    },
    "flyte-secrets exec -s db/password=PGPASSWORD -p shop -d production -- psql -h localhost": {
      given: keep("password", "-p shop -d production"),
      instead:
        "flyte-secrets exec -s db/password=PGPASSWORD -p shop -d production -- sh -c 'printf %s $PGPASSWORD | wc -c'",
      prints: /^18$/m,
    },
    "flyte-secrets exec --file service-account=GOOGLE_APPLICATION_CREDENTIALS -- gcloud storage ls": {
      given: keep("service-account"),
      instead:
        "flyte-secrets exec --file service-account=GOOGLE_APPLICATION_CREDENTIALS -- " +
        "sh -c 'wc -c < $GOOGLE_APPLICATION_CREDENTIALS'",
      prints: /^18$/m,
    },
    "flyte-secrets exec --from pod.yaml -- ./job.sh": {
      given: `${POD}; ${keep("api-key", "-p shop -d development")}; ${keep("db-conf")}; ${file("job.sh", "#!/bin/sh")}; chmod +x job.sh`,
    },
    "flyte-secrets read ghcr-token -p shop -d production | docker login ghcr.io -u octocat --password-stdin": {
      given: keep("ghcr-token", "-p shop -d production"),
      instead: "flyte-secrets read ghcr-token -p shop -d production | wc -c",
      prints: /^18$/m,
    },
    "flyte-secrets read tls-key -o key.pem": { given: keep("tls-key") },
    "flyte-secrets inject -i app.env.tpl -o app.env -p shop -d production": {
      given: `${keep("api-key")}; ${file("app.env.tpl", 'API_KEY={{ secret "api-key" }}')}`,
    },
    "flyte-secrets inject -i a.tpl -o a.yaml -i b.tpl -o b.yaml": {
      given: `${file("a.tpl", '{{ secret "api-key" | json }}')}; ${file("b.tpl", "b")}`,
    },
    "flyte-secrets inject < secret.yaml.tpl | kubectl apply -f -": {
      given: file("secret.yaml.tpl", 'data: { key: {{ secret "api-key" | base64 }} }'),
      instead: "flyte-secrets inject < secret.yaml.tpl | grep -q key",
    },
    "flyte-secrets mcp": byAgents,
    "flyte-secrets mcp -p shop -d development --local": byAgents,
    "flyte-secrets mutate -f pod.yaml": { given: POD },
    "flyte-secrets explain -f pod.yaml -o json": {
      given: `${POD}; ${keep("api-key", "-p shop -d development")}; ${keep("db-conf")}`,
    },
    "kubectl get deployment web -o yaml | flyte-secrets mutate -f - -c '/etc/flyte/config.d/*.yaml'": inCluster,
    "kubectl get secret -n flyte $(flyte-secrets name api-key -o name)": inCluster,
    "flyte-secrets serve": served,
    "flyte-secrets serve --tls": served,
    "flyte-secrets serve --port 9000 --auth none": served,
    "flyte-secrets serve -c '/etc/flyte/config.d/*.yaml' --logger.level debug": served,
    "flyte-secrets webhook -c '/etc/flyte/config.d/*.yaml' --workers 2": served,
    "flyte-secrets webhook --port 9443 --webhook.embeddedSecretManagerConfig.delivery Inline": served,
    "flyte-secrets certs": inCluster,
    "flyte-secrets certs --renew -n flyte": inCluster,
    "flyte-secrets certs --remove --cluster": inCluster,
    "flyte-secrets doctor --cluster -n flyte-secrets": inCluster,
    "flyte-secrets doctor --cluster --for webhook --as system:serviceaccount:flyte-secrets:flyte-secrets-webhook":
      inCluster,
    "kubectl get pods -A -o json | flyte-secrets doctor --pods -": inCluster,
    "flyte-secrets copy-secrets --from flyte --to flyte-secrets --dry-run --secret.kubernetes.kubeconfig ~/.kube/config":
      inCluster,
    "flyte-secrets restore secrets-2026-08-01.db": {
      given: "mkdir -p ~/before && mv ~/.flyte-secrets/store.db* ~/before",
    },
    "flyte-secrets keys discard 5d0c2f4ab1c3d9e7": { notRun: "the id is the reader's own" },
    "flyte-secrets keys discard 5d0c2f4ab1c3d9e7 --yes": { notRun: "the same" },
    "flyte-secrets system mark registry-password --domain production": {
      given: keep("registry-password", "--domain production"),
    },
    "flyte-secrets completion bash > ~/.local/share/bash-completion/completions/flyte-secrets": {
      given: "mkdir -p ~/.local/share/bash-completion/completions ~/.zsh/completions ~/.config/fish/completions",
    },
  },
};

const noKubelet = { notRun: "needs a kubelet, which runs the pods" };
const installedFlyte = { notRun: "needs an installed Flyte; e2e/installation/chart.test.ts reads its values" };

/** Pages whose commands run on a real API server, in the order of the page. */
export const API_SERVER_PAGES: Readonly<Record<string, PagePlan>> = {
  "docs/installation.md": {
    "docker build -f deploy/Dockerfile -t registry.example.com/flyte-secrets:0.1.0 .": { notRun: "needs Docker" },
    "docker push registry.example.com/flyte-secrets:0.1.0": { notRun: "needs a registry" },
    "kubectl create namespace flyte-secrets": { given: "kubectl create namespace flyte" },
    "helm get values flyte -n flyte -o json | jq '{\"flyte-core-components\", configuration} | with_entries(select(.value))' > flyte.json":
      installedFlyte,
    "helm install flyte-secrets deploy/helm/flyte-secrets -n flyte-secrets -f flyte.json -f values.yaml":
      installedFlyte,
    "NODE_EXTRA_CA_CERTS=ca.crt flyte-secrets get secret --endpoint https://flyte-secrets-service.flyte-secrets.svc:8093":
      noKubelet,
    // Nothing runs there.
    "flyte-secrets doctor --cluster -n flyte-secrets": { exitCode: 1 },
    "kubectl exec -n flyte-secrets deploy/flyte-secrets-webhook -c webhook -- /nodejs/bin/node /app/packages/cli/bin/flyte-secrets.js doctor --cluster --for webhook -c '/etc/flyte/config.d/*.yaml'":
      noKubelet,
    "flyte-secrets copy-secrets --from flyte --to flyte-values --secret.kubernetes.kubeconfig ~/.kube/config": {
      given: "kubectl create namespace flyte-values",
    },
    "helm upgrade flyte-secrets deploy/helm/flyte-secrets -n flyte --reuse-values --set flyte-core-components.secret.kubernetes.formerNamespace=":
      { notRun: "a release in another namespace than the page's first: e2e/installation/moving.test.ts" },
  },
  "docs/webhook.md": {
    "kubectl label namespace team-x-gpu flyte.secrets/project=shop flyte.secrets/domain=production": {
      given: "kubectl create namespace team-x-gpu",
    },
    "flyte-secrets doctor --cluster --for webhook --as system:serviceaccount:flyte-secrets:flyte-secrets-webhook": {
      exitCode: 1,
    },
  },
};

/**
 * Pages about clusters: why their commands are not run as printed, by page or by a command's first line. Each is read
 * all the same.
 */
export const CLUSTER_PAGES: Readonly<Record<string, string>> = {
  "docs/certificates.md": "e2e/kubernetes/certificates.test.ts renews and removes certificates on a real API server",
  "docs/gitops.md": "e2e/kubernetes: gitops.test.ts and external-secrets.test.ts run its recipes on a real API server",
  "docs/operations.md": "an operator's drills; e2e/installation and e2e/kubernetes run what is in them",
  "docs/migrating-from-flyte.md": "e2e/installation/moving.test.ts and e2e/kubernetes/beside-flytes-webhook.test.ts",
  "docs/secret-managers.md": "accounts of the clouds; e2e/fetchers and e2e/vault call moto and Vault",
};
