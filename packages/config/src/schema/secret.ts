import { isSecureUrl } from "@flyte-secrets/core";
import { byteSize, choice, duration, integer, section, text, textMap, texts, toggle } from "./setting.ts";

/** `secret`: the service and its store. */
export const secretSection = section("The secret service and its store.", {
  store: section("Where secrets are kept.", {
    type: choice(["auto", "Embedded", "Kubernetes"], {
      default: "auto",
      about:
        "`auto` is Kubernetes inside a cluster and where `secret.kubernetes.kubeconfig` names one, Embedded elsewhere.",
    }),
    path: text({
      default: "~/.flyte-secrets",
      about: "Data directory of the Embedded store, for its user alone (0700). A leading `~` is the home directory.",
      accepts: (value) => value !== "",
      must: "a path",
    }),
  }),
  organization: text({
    default: "flyte",
    about: "The organization of every secret; what a request says is replaced by it.",
    accepts: (value) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value),
    must: "a DNS label: 1 to 63 lower-case letters, digits and `-`, not `-` first or last",
  }),
  imagePullNamespace: text({
    default: "",
    about:
      "Namespace of image-pull Secrets. Empty: `POD_NAMESPACE`, else the service account's, else `actions.kubernetes.namespace`.",
  }),
  server: section("The listener.", {
    host: text({
      default: "::",
      about:
        "Address to listen on; `::` is all of the machine's, IPv4 and IPv6. With the Embedded store the default is 127.0.0.1.",
      accepts: (value) => value !== "",
      must: "a host name or an IP address",
    }),
    port: integer({ default: 8093, min: 0, max: 65535, about: "Port to listen on; 0 takes a free one." }),
    tls: section("TLS, when both files are given, or a Secret, or a certificate of its own making is wanted.", {
      certFile: text({ default: "", about: "PEM file with the server's certificate chain." }),
      keyFile: text({ default: "", about: "PEM file with its private key." }),
      secretName: text({
        default: "",
        about:
          "Without files: Secret in the service's namespace for a certificate of its own making, for the names in `allowedHosts`. Made where it " +
          "is missing and renewed by itself; clients verify it by `ca.crt` of that Secret.",
      }),
      selfMade: toggle({
        default: false,
        about:
          "Without files and Secret: a certificate of its own making for this machine, `host` and `allowedHosts`, kept in `tls` of " +
          "`secret.store.path` and renewed by itself. Clients verify it by `ca.crt` there.",
      }),
    }),
    probeBindAddress: text({
      default: "",
      about:
        "Address such as `:8094` that answers `/healthz` and `/readyz` over plain HTTP, for probes that must not wait behind " +
        "the callers of the main port. Empty: the main port alone answers them.",
    }),
    metricsBindAddress: text({
      default: "",
      about:
        "Address such as `:8095` that answers `/metrics` over plain HTTP and asks for no credentials, so that who scrapes needs none that " +
        "reads or deletes secrets: let nobody else reach it. Empty: the main port alone answers it, to those who may call.",
    }),
    allowedHosts: texts({
      default: [],
      about:
        "With `secret.auth.mode: none`: names of this server, such as `flyte-secrets.flyte.svc`. A request to another name is refused, " +
        "since a web page can have sent it; `localhost` and IP addresses need not be listed.",
    }),
    limits: section("How much the listener puts up with.", {
      connections: integer({
        default: 4096,
        min: 1,
        about: "Connections at a time. A further one ends the one that has been idle longest, unused ones first.",
      }),
      connectionsPerAddress: integer({
        default: 1024,
        min: 0,
        about:
          "Those of one address, within `connections`; 0: no such limit. Raise it where all callers come through a load balancer.",
      }),
      bodyBytes: byteSize({
        default: "64Mi",
        about:
          "Bytes of the bodies of all requests under way. A request that needs more ends the one whose body has been arriving longest.",
      }),
    }),
  }),
  auth: section("Who may call. Health and OAuth metadata routes are open.", {
    mode: choice(["token", "oidc", "none"], {
      default: "token",
      about:
        "`token`: callers send the token as `Authorization: Bearer` (or `Proxy-Authorization`). `oidc`: they send a signed token of " +
        "an issuer. `none`: anybody.",
    }),
    tokenFile: text({
      default: "",
      about:
        "File with the token, for its user alone (0600), made when it is missing. Empty: `token` in `secret.store.path`.",
    }),
    allowUnauthenticatedNetwork: toggle({
      default: false,
      about:
        "Let `mode: none` listen beyond this machine. Everybody who reaches the port can then read names and write values.",
    }),
    oidc: section("With `mode: oidc`: whose tokens are taken, and what clients are told that they need to get one.", {
      issuer: text({
        default: "",
        about:
          "URL of the OpenID Connect or OAuth 2 issuer, exactly as the claim `iss` has it. Its metadata and keys are read from there.",
        accepts: (value) => value === "" || isSecureUrl(value),
        must: "an https URL (http on this machine only)",
      }),
      audience: text({ default: "", about: "What the claim `aud` of a token has to name." }),
      clockSkew: duration({ default: "30s", about: "How far the issuer's clock may be from this machine's." }),
      clientId: text({ default: "", about: "Public client that Flyte's clients log in as (`DeviceFlow`, `Pkce`)." }),
      redirectUri: text({
        default: "http://localhost:53593/callback",
        about: "Where the issuer sends a browser back to (`Pkce`); registered for that client.",
      }),
      scopes: texts({ default: [], about: "Scopes that clients ask the issuer for. Tokens are not checked for them." }),
    }),
  }),
  webhookURL: text({
    default: "http://localhost:9444",
    about:
      "Webhook to tell about writes, for use beside Flyte's webhook; empty turns it off, as Embedded does by default.",
    accepts: (value) => value === "" || URL.canParse(/^[a-z]+:\/\//i.test(value) ? value : `http://${value}`),
    must: "an address such as http://flyte-pod-webhook:9444, or empty",
  }),
  kubernetes: section("The Kubernetes store.", {
    kubeconfig: text({ default: "", about: "Path; empty: in-cluster, then `$KUBECONFIG`, then `~/.kube/config`." }),
    namespace: text({ default: "flyte", about: "Namespace of the managed Secrets." }),
    formerNamespace: text({
      default: "flyte",
      about:
        "Namespace in which they may have been before: service and webhook aren't ready while it has managed Secrets and `namespace` has none. " +
        "Not looked at where that is not permitted, nor when empty.",
    }),
    clusterName: text({
      default: "flyte-devbox",
      about: "Name under which a secret's status lists this store.",
    }),
    otherClusters: textMap({
      default: {},
      about: "Further clusters that every secret is kept in, in the same namespaces: name to kubeconfig file.",
    }),
    consistency: choice(["eventual", "strong"], {
      default: "eventual",
      about:
        "`eventual`: secrets are described and listed from memory, which a watch keeps up to date; writes of the same replica are seen at " +
        "once, those of others a moment later. `strong`: every call asks the API server. A call with the header " +
        "`flyte-secrets-consistency: strong` always does.",
    }),
    qps: integer({ default: 100, min: 1, about: "Requests a second to the API server." }),
    burst: integer({ default: 200, min: 1, about: "Requests at once before `qps` holds them back." }),
    timeout: duration({ default: "30s", about: "Time limit of one request." }),
  }),
});
