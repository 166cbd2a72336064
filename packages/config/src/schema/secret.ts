import { isSecureUrl } from "@flyte-secrets/core";
import { byteSize, choice, duration, integer, section, text, textMap, texts, toggle } from "./setting.ts";

/** `secret`: the service and its store. */
export const secretSection = section("The secret service and its store.", {
  store: section("Where secrets are kept.", {
    type: choice(["auto", "Embedded", "Kubernetes"], {
      default: "auto",
      about: "`auto` is Kubernetes in a cluster or with `secret.kubernetes.kubeconfig`, and Embedded elsewhere.",
    }),
    path: text({
      default: "~/.flyte-secrets",
      about:
        "Data directory of the Embedded store, accessible to its user only (0700). A leading `~` is the home " +
        "directory.",
      accepts: (value) => value !== "",
      must: "a path",
    }),
  }),
  organization: text({
    default: "flyte",
    about: "The organization of every secret. It replaces the organization of requests.",
    accepts: (value) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value),
    must: "a DNS label: 1 to 63 lower-case letters, digits and `-`, not `-` first or last",
  }),
  imagePullNamespace: text({
    default: "",
    about:
      "Namespace of image-pull Secrets. Empty: `POD_NAMESPACE`, else the service account's, else " +
      "`actions.kubernetes.namespace`.",
  }),
  server: section("The listener.", {
    host: text({
      default: "::",
      about:
        "Address to listen on; `::` is every IPv4 and IPv6 address of the machine. With the Embedded store the " +
        "default is 127.0.0.1.",
      accepts: (value) => value !== "",
      must: "a host name or an IP address",
    }),
    port: integer({ default: 8093, min: 0, max: 65535, about: "Port to listen on; 0 chooses a free port." }),
    tls: section("TLS, enabled by both files, by a Secret, or by `selfMade`.", {
      certFile: text({ default: "", about: "PEM file with the server's certificate chain." }),
      keyFile: text({ default: "", about: "PEM file with the private key." }),
      secretName: text({
        default: "",
        about:
          "Without files: Secret in the service's namespace with a self-signed certificate for the names in " +
          "`allowedHosts`. The service creates and renews it; clients verify it by `ca.crt` of the Secret.",
      }),
      selfMade: toggle({
        default: false,
        about:
          "Without files and Secret: use a self-signed certificate for this machine, `host` and `allowedHosts`. " +
          "The service creates and renews it in the directory `tls` of `secret.store.path`; clients verify it by " +
          "`ca.crt` there.",
      }),
    }),
    probeBindAddress: text({
      default: "",
      about:
        "Address such as `:8094` for `/healthz` and `/readyz` over plain HTTP, so that probes do not wait behind " +
        "the callers of the main port. Empty: the main port only.",
    }),
    metricsBindAddress: text({
      default: "",
      about:
        "Address such as `:8095` for `/metrics` over plain HTTP and without authentication, so that a scraper " +
        "needs no token that reads or deletes secrets. Let nothing else reach it. Empty: the main port only, with " +
        "authentication.",
    }),
    allowedHosts: texts({
      default: [],
      about:
        "With `secret.auth.mode: none`: names of this server, such as `flyte-secrets.flyte.svc`. Requests to other " +
        "names are refused, because a web page may have sent them. `localhost` and IP addresses are always " +
        "accepted.",
    }),
    limits: section("Limits of the listener.", {
      connections: integer({
        default: 4096,
        min: 1,
        about:
          "Maximum number of connections. A further connection closes the one that has been idle longest, first " +
          "one without a request.",
      }),
      connectionsPerAddress: integer({
        default: 1024,
        min: 0,
        about:
          "Maximum number of connections of one address; 0: no limit. Raise it if all callers come through a load " +
          "balancer.",
      }),
      requests: integer({
        default: 2048,
        min: 1,
        about:
          "Calls that are answered at a time. A further one is refused with `unavailable` and `Retry-After`, so that " +
          "those are answered before their callers give up.",
      }),
      bodyBytes: byteSize({
        default: "64Mi",
        about:
          "Maximum size in bytes of the bodies of all requests and responses in flight. Where one needs more, the " +
          "response is closed that its client has not read for longest, else the request whose body has been " +
          "arriving longest.",
      }),
    }),
  }),
  auth: section("Who may call. Health checks and OAuth metadata need no authentication.", {
    mode: choice(["token", "oidc", "none"], {
      default: "token",
      about:
        "`token`: callers send the token as `Authorization: Bearer` (or `Proxy-Authorization`). `oidc`: callers " +
        "send a signed token of an issuer. `none`: no authentication.",
    }),
    tokenFile: text({
      default: "",
      about:
        "File with the token, accessible to its user only (0600) and created if missing. Empty: `token` in " +
        "`secret.store.path`.",
    }),
    allowUnauthenticatedNetwork: toggle({
      default: false,
      about:
        "Allow `mode: none` to listen beyond this machine. Everybody who reaches the port can then read names and " +
        "write values.",
    }),
    oidc: section("With `mode: oidc`: which tokens are accepted, and how clients get one.", {
      issuer: text({
        default: "",
        about:
          "URL of the OpenID Connect or OAuth 2 issuer, exactly as in the claim `iss`. Metadata and keys are read " +
          "from there.",
        accepts: (value) => value === "" || isSecureUrl(value),
        must: "an https URL (http on this machine only)",
      }),
      audience: text({ default: "", about: "Audience that the claim `aud` of a token must contain." }),
      clockSkew: duration({
        default: "30s",
        about: "Maximum difference between the issuer's clock and this machine's.",
      }),
      clientId: text({
        default: "",
        about: "Public OAuth client with which Flyte's clients log in (`DeviceFlow`, `Pkce`).",
      }),
      redirectUri: text({
        default: "http://localhost:53593/callback",
        about: "Redirect URI of that client, to which the issuer sends the browser (`Pkce`).",
      }),
      scopes: texts({
        default: [],
        about: "Scopes that clients request from the issuer. They are not checked in tokens.",
      }),
    }),
  }),
  webhookURL: text({
    default: "http://localhost:9444",
    about:
      "URL of a webhook whose cache is invalidated after writes, such as Flyte's own. Empty: none, which is the " +
      "default with the Embedded store.",
    accepts: (value) => value === "" || URL.canParse(/^[a-z]+:\/\//i.test(value) ? value : `http://${value}`),
    must: "an address such as http://flyte-pod-webhook:9444, or empty",
  }),
  kubernetes: section("The Kubernetes store.", {
    kubeconfig: text({
      default: "",
      about:
        "Path of a kubeconfig file. Empty: the service account in a cluster, else `$KUBECONFIG`, else " +
        "`~/.kube/config`.",
    }),
    namespace: text({ default: "flyte", about: "Namespace of the managed Secrets." }),
    formerNamespace: text({
      default: "flyte",
      about:
        "Earlier namespace of the managed Secrets: service and webhook are not ready while it has managed Secrets " +
        "and `namespace` has none. Ignored if empty, or if reading it is not permitted.",
    }),
    clusterName: text({
      default: "flyte-devbox",
      about: "Name of this cluster in the status of a secret.",
    }),
    otherClusters: textMap({
      default: {},
      about: "Further clusters that store every secret, in the same namespaces: kubeconfig file by name.",
    }),
    consistency: choice(["eventual", "strong"], {
      default: "eventual",
      about:
        "`eventual`: secrets are described and listed from memory, which a watch keeps up to date; writes of the same " +
        "replica are seen at once, those of others a moment later. `strong`: every call reads from the API server, " +
        "as does a call with the header `flyte-secrets-consistency: strong`.",
    }),
    qps: integer({ default: 100, min: 1, about: "Requests per second to the API server." }),
    burst: integer({
      default: 200,
      min: 1,
      about: "Number of requests that may be sent at once, regardless of `qps`.",
    }),
    timeout: duration({ default: "30s", about: "Time limit of one request." }),
  }),
});
