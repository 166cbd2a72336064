import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Connection, type ConnectionOptions, resolveConnection } from "./connection.ts";

let root: string;
let warnings: string[];
beforeEach(async () => {
  warnings = [];
  root = await mkdtemp(join(tmpdir(), "flyte-secrets-connection-"));
  await mkdir(join(root, "home"));
  await mkdir(join(root, "repo/.git"), { recursive: true });
  await mkdir(join(root, "repo/src"));
});
afterEach(() => rm(root, { recursive: true }));

interface Surroundings {
  readonly files?: Record<string, string>;
  readonly variables?: Record<string, string>;
}

/** Resolves in `repo/src` of the temporary directory, with `home` beside `repo`. */
async function resolveIn(
  { files = {}, variables = {} }: Surroundings,
  options?: ConnectionOptions,
): Promise<Connection> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  const warn = (message: string) => void warnings.push(message.replaceAll(root, "<root>"));
  return resolveConnection(options, { variables, cwd: join(root, "repo/src"), home: join(root, "home"), warn });
}

const refusal = async (surroundings: Surroundings, options?: ConnectionOptions): Promise<unknown> =>
  resolveIn(surroundings, options).catch((error: unknown) =>
    error instanceof SecretsError ? [error.code, error.message.replaceAll(root, "<root>")] : error,
  );

const plain = (endpoint: string): Connection => ({
  endpoint,
  org: "",
  project: "",
  domain: "",
  auth: { kind: "none" },
  tls: { rejectUnauthorized: true },
  timeoutMs: 30_000,
});
const encodeKey = (text: string): string => Buffer.from(text).toString("base64");

describe("options", () => {
  test("say everything", async () => {
    const token = () => "t";
    const options = {
      endpoint: "https://acme.flyte.example:8443/api/",
      org: "o",
      project: "p",
      domain: "d",
      insecureSkipVerify: true,
      token,
      timeoutMs: 5,
    };
    expect(await resolveIn({}, options)).toEqual({
      endpoint: "https://acme.flyte.example:8443/api",
      org: "o",
      project: "p",
      domain: "d",
      auth: { kind: "token", token },
      tls: { rejectUnauthorized: false },
      timeoutMs: 5,
    });
  });

  test("win over variables and files; an empty string stands for no project", async () => {
    const variables = { FLYTE_ADMIN_ENDPOINT: "a.example", FLYTE_TASK_PROJECT: "p", FLYTE_TASK_DOMAIN: "d" };
    const files = { "repo/src/config.yaml": "admin: { endpoint: f.example }" };
    expect(await resolveIn({ files, variables }, { endpoint: "o.example", project: "" })).toEqual({
      ...plain("https://o.example"),
      domain: "d",
    });
  });

  test.each([
    ["localhost:8090", true, "http://localhost:8090"],
    ["localhost:8090", undefined, "https://localhost:8090"],
    ["dns:///localhost:8090", true, "http://localhost:8090"],
    ["http://localhost:8090", undefined, "http://localhost:8090"],
    ["https://localhost:8090", true, "https://localhost:8090"],
    ["[::1]:8090", true, "http://[::1]:8090"],
  ])("endpoint %s with insecure %s is %s", async (endpoint, insecure, expected) => {
    expect(await resolveIn({}, { endpoint, insecure })).toEqual(plain(expected));
  });

  test.each([
    "ftp://x.example",
    "https://user:pw@x.example",
    "not an address",
    "https://x.example/?q=1",
  ])("endpoint %j is refused, without showing it", async (endpoint) => {
    expect(await refusal({}, { endpoint })).toEqual([
      "invalid_config",
      "endpoint: the endpoint is not an address: write host:port, dns:///host:port, or an http or https URL.",
    ]);
  });

  test("the organization is the first label of a long host name when none is set", async () => {
    expect((await resolveIn({}, { endpoint: "acme.hosted.example" })).org).toBe("acme");
    expect((await resolveIn({}, { endpoint: "127.0.0.1:8093" })).org).toBe("");
  });

  test("a configuration in the home directory that others may write is left out, with a warning", async () => {
    const path = "home/.flyte/config.yaml";
    expect(await resolveIn({ files: { [path]: "admin: { endpoint: h.example }" } })).toEqual(
      plain("https://h.example"),
    );
    await chmod(join(root, path), 0o666);
    expect(await refusal({})).toMatchObject(["no_service", expect.any(String)]);
    expect(warnings).toEqual([
      expect.stringMatching(/^<root>\/home\/\.flyte\/config\.yaml is left out: .* To use it all the same, name it/),
    ]);
  });

  test("local goes past all that names another endpoint, and excludes one", async () => {
    const surroundings = {
      files: {
        "repo/src/config.yaml": "admin: { endpoint: f.example }",
        "home/.flyte/config.yaml": "admin: { endpoint: h.example }",
      },
      variables: { FLYTE_ENDPOINT: "e.example" },
    };
    expect(await refusal(surroundings, { local: true })).toEqual([
      "no_service",
      "No server of this user runs. Start one with `flyte-secrets serve`.",
    ]);
    expect(await refusal({}, { local: true, endpoint: "o.example" })).toEqual([
      "invalid_config",
      "local and endpoint exclude each other: give one.",
    ]);
  });

  test("token and credentials exclude each other", async () => {
    const credentials = { clientId: "c", clientSecret: "s" };
    expect(await refusal({}, { endpoint: "x.example", token: "t", credentials })).toEqual([
      "invalid_config",
      "token and credentials exclude each other: give one.",
    ]);
  });
});

describe("variables", () => {
  test("of Flyte's clients name endpoint and scope", async () => {
    const variables = {
      FLYTE_ADMIN_ENDPOINT: "dns:///a.example:81",
      FLYTE_ADMIN_INSECURE: "true",
      FLYTE_ADMIN_INSECURESKIPVERIFY: "1",
      FLYTE_TASK_ORG: "o",
      FLYTE_TASK_PROJECT: "p",
      FLYTE_TASK_DOMAIN: "d",
      FLYTE_ENDPOINT: "later.example",
    };
    expect(await resolveIn({ variables })).toEqual({
      ...plain("http://a.example:81"),
      org: "o",
      project: "p",
      domain: "d",
      tls: { rejectUnauthorized: false },
    });
  });

  test("of a task name where it runs, after all others", async () => {
    const variables = {
      _U_EP_OVERRIDE: "u.example",
      _U_INSECURE: "yes",
      _U_ORG_NAME: "o",
      FLYTE_INTERNAL_EXECUTION_PROJECT: "p",
      FLYTE_INTERNAL_EXECUTION_DOMAIN: "d",
    };
    const inTask = { ...plain("http://u.example"), org: "o", project: "p", domain: "d" };
    expect(await resolveIn({ variables })).toEqual(inTask);
    expect(await resolveIn({ variables: { ...variables, FLYTE_ENDPOINT: "https://e.example" } })).toEqual({
      ...inTask,
      endpoint: "https://e.example",
    });
  });

  test("FLYTE_API_KEY names endpoint, client and organization", async () => {
    const FLYTE_API_KEY = encodeKey("dns:///k.example:81:id:sec-ret:acme");
    const credentials = {
      kind: "credentials",
      credentials: { clientId: "id", clientSecret: "sec-ret" },
    };
    expect(await resolveIn({ variables: { FLYTE_API_KEY, FLYTE_ENDPOINT: "other.example" } })).toEqual({
      ...plain("https://k.example:81"),
      org: "acme",
      auth: credentials,
    });
  });

  test("a client's secret stays away from another endpoint than its own", async () => {
    const variables = { FLYTE_API_KEY: encodeKey("k.example:id:secret:None") };
    expect(await resolveIn({ variables }, { endpoint: "o.example" })).toEqual(plain("https://o.example"));
  });

  test("FLYTE_SECRETS_TOKEN goes to an endpoint that variables name, not to one that a file names", async () => {
    const variables = { FLYTE_SECRETS_TOKEN: "t" };
    const files = { "home/.flyte/config.yaml": "admin: { endpoint: f.example }" };
    expect((await resolveIn({ variables: { ...variables, FLYTE_ENDPOINT: "e.example" } })).auth).toEqual({
      kind: "token",
      token: "t",
    });
    expect((await resolveIn({ variables, files })).auth).toEqual({ kind: "none" });
  });

  test.each([
    [{ FLYTE_ADMIN_INSECURE: "maybe" }, "FLYTE_ADMIN_INSECURE must be true or false."],
    [{ _U_INSECURE: "maybe" }, "_U_INSECURE must be true or false."],
    [{ FLYTE_API_KEY: "bm9uZQ==" }, "FLYTE_API_KEY must be base64 of endpoint:clientId:clientSecret:org."],
    [{ UCTL_CONFIG: "no.yaml" }, "UCTL_CONFIG names <root>/repo/src/no.yaml, which is not there."],
    [{ FLYTECTL_CONFIG: "~/no.yaml" }, "FLYTECTL_CONFIG names <root>/home/no.yaml, which is not there."],
  ])("%j is refused by name", async (variables, message) => {
    expect(await refusal({ variables })).toEqual(["invalid_config", message]);
  });
});

describe("configuration files", () => {
  const content = (endpoint: string): string => `admin: { endpoint: ${endpoint} }`;
  const ofProject = (project: string): string => `task: { project: ${project} }`;
  const places: [string, Record<string, string>?][] = [
    ["repo/src/config.yaml"],
    ["repo/src/.flyte/config.yaml"],
    ["repo/.flyte/config.yaml"],
    ["uctl.yaml", { UCTL_CONFIG: "../../uctl.yaml" }],
    ["flytectl.yaml", { FLYTECTL_CONFIG: "../../flytectl.yaml" }],
    ["home/.union/config.yaml"],
    ["home/.flyte/config.yaml"],
  ];

  test("are looked for in Flyte's order", async () => {
    const files = Object.fromEntries(places.map(([path], index) => [path, ofProject(`f${index}`)]));
    const variables = Object.assign({ FLYTE_ENDPOINT: "e.example" }, ...places.map(([, named]) => named ?? {}));
    for (const [index, [path, named]] of places.entries()) {
      expect((await resolveIn({ files, variables })).project).toBe(`f${index}`);
      delete files[path];
      for (const name of Object.keys(named ?? {})) delete variables[name];
      await rm(join(root, path));
    }
  });

  test("say how to reach their own endpoint, and the scope for any", async () => {
    const files = {
      "repo/ca.pem": "a certificate",
      "home/.flyte/config.yaml":
        "admin: { endpoint: dns:///f.example:8090, insecure: true, insecureSkipVerify: true, caCertFilePath: ../ca.pem }\n" +
        "task: { org: o, project: p, domain: d }\n",
    };
    const scope = { org: "o", project: "p", domain: "d" };
    expect(await resolveIn({ files })).toEqual({
      ...plain("http://f.example:8090"),
      ...scope,
      tls: { rejectUnauthorized: false, ca: "a certificate" },
    });
    expect(await resolveIn({ files }, { endpoint: "other.example" })).toEqual({
      ...plain("https://other.example"),
      ...scope,
    });
  });

  describe.each([
    "repo/src/config.yaml",
    "repo/src/.flyte/config.yaml",
    "repo/.flyte/config.yaml",
  ])("found at %s", (path) => {
    const text = "admin: { endpoint: f.example, insecureSkipVerify: true }\ntask: { org: o, project: p, domain: d }";
    const files = { [path]: text };

    test("say project and domain, and nothing else", async () => {
      expect(await resolveIn({ files }, { endpoint: "other.example" })).toEqual({
        ...plain("https://other.example"),
        project: "p",
        domain: "d",
      });
      expect(warnings).toEqual([]);
    });

    test("are refused where nothing else says where values go, and count once they are named", async () => {
      expect(await refusal({ files })).toEqual([
        "invalid_config",
        `<root>/${path} names admin.endpoint, and a file that was only found here doesn't decide where values go. Name the file ` +
          "(--config, the option config, UCTL_CONFIG or FLYTECTL_CONFIG), or the endpoint (--endpoint, the option endpoint, FLYTE_ENDPOINT); " +
          "--local (the option local) is the server of this user.",
      ]);
      const named = {
        ...plain("https://f.example"),
        org: "o",
        project: "p",
        domain: "d",
        tls: { rejectUnauthorized: false },
      };
      expect(await resolveIn({ files }, { config: join(root, path) })).toEqual(named);
      expect(await resolveIn({ files, variables: { FLYTECTL_CONFIG: join(root, path) } })).toEqual(named);
    });

    test("are left out, with a warning, when others may write them", async () => {
      await resolveIn({ files }, { endpoint: "other.example" });
      await chmod(join(root, path), 0o666);
      expect((await resolveIn({}, { endpoint: "other.example" })).project).toBe("");
      await chmod(join(root, path), 0o600);
      await chmod(dirname(join(root, path)), 0o777);
      expect((await resolveIn({}, { endpoint: "other.example" })).project).toBe("");
      await chmod(dirname(join(root, path)), 0o1777);
      expect((await resolveIn({}, { endpoint: "other.example" })).project).toBe("p");
      expect(warnings).toEqual([
        `<root>/${path} is left out: other users may write it (mode 0666). To use it all the same, name it: --config <root>/${path}`,
        `<root>/${path} is left out: its directory isn't this user's: other users may write it (mode 0777). To use it all the same, name it: --config <root>/${path}`,
      ]);
    });
  });

  test("in the home directory count, also when that is where somebody is, or a git root", async () => {
    const files = { "repo/.flyte/config.yaml": content("f.example") };
    await resolveIn({ files }, { endpoint: "other.example" });
    for (const cwd of ["repo", "repo/src"]) {
      const environment = { variables: {}, cwd: join(root, cwd), home: join(root, "repo") };
      expect((await resolveConnection({}, environment)).endpoint).toBe("https://f.example");
    }
  });

  test("that are directories, pipes or unreadable say nothing where they are found", async () => {
    await mkdir(join(root, "repo/src/config.yaml"));
    await mkdir(join(root, "repo/src/.flyte"));
    execFileSync("mkfifo", [join(root, "repo/src/.flyte/config.yaml")]);
    await mkdir(join(root, "repo/.flyte"));
    await symlink("config.yaml", join(root, "repo/.flyte/config.yaml"));
    expect((await resolveIn({ files: { "home/.flyte/config.yaml": content("f.example") } })).endpoint).toBe(
      "https://f.example",
    );
  });

  test("that are no configuration by their size are refused by name", async () => {
    expect(await refusal({ files: { "home/.flyte/config.yaml": " ".repeat(1_048_577) } })).toEqual([
      "invalid_config",
      "<root>/home/.flyte/config.yaml is larger than 1048576 bytes.",
    ]);
  });

  test("one that is named is read instead of the others", async () => {
    const files = { "repo/src/config.yaml": content("f.example"), "home/mine.yaml": content("mine.example") };
    expect((await resolveIn({ files }, { config: "~/mine.yaml" })).endpoint).toBe("https://mine.example");
  });

  test("one of another tool says nothing", async () => {
    const files = { "repo/src/config.yaml": "- admin\n- 2\n", "home/.flyte/config.yaml": content("f.example") };
    expect((await resolveIn({ files, variables: { FLYTE_ENDPOINT: "e.example" } })).endpoint).toBe("https://e.example");
  });

  test.each([
    ["admin: { endpoint: 5 }", "<root>/home/.flyte/config.yaml: admin.endpoint must be text."],
    ["admin: { insecure: maybe }", "<root>/home/.flyte/config.yaml: admin.insecure must be true or false."],
    [
      "admin: { endpoint: x, caCertFilePath: no.pem }",
      "caCertFilePath names <root>/repo/src/no.pem, which is not there.",
    ],
  ])("%s is refused by name", async (text, message) => {
    expect(await refusal({ files: { "home/.flyte/config.yaml": text } })).toEqual(["invalid_config", message]);
  });

  test("broken YAML is refused with file and place", async () => {
    expect(await refusal({ files: { "home/.flyte/config.yaml": "admin: {" } })).toEqual([
      "invalid_config",
      "<root>/home/.flyte/config.yaml is not YAML: BAD_INDENT at line 1, column 9.",
    ]);
  });
});
