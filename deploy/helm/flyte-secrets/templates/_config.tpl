{{/* Gives the map `into` what it lacks of `from`, map by map. Sprig's merge would also replace what is false or empty. */}}
{{- define "flyte-secrets.fill" -}}
{{- $into := .into -}}
{{- range $key, $value := .from -}}
  {{- $given := index $into $key -}}
  {{- if kindIs "invalid" $given -}}
    {{- $_ := set $into $key $value -}}
  {{- else if and (kindIs "map" $given) (kindIs "map" $value) -}}
    {{- include "flyte-secrets.fill" (dict "into" $given "from" $value) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* What the chart sets where the values don't: all that other objects have to agree with. */}}
{{- define "flyte-secrets.defaults" -}}
secret:
  store: { type: Kubernetes }
  imagePullNamespace: {{ include "flyte-secrets.namespace" . }}
  server:
    port: 8093
    probeBindAddress: ":8094"
    metricsBindAddress: ":8095"
    {{- with include "flyte-secrets.selfMadeTlsSecret" . }}
    tls: { secretName: {{ . }} }
    {{- end }}
    allowedHosts:
      {{- $service := include "flyte-secrets.name" (dict "root" . "component" "service") }}
      {{- range list "" (printf ".%s" (include "flyte-secrets.namespace" .)) (printf ".%s.svc" (include "flyte-secrets.namespace" .)) (printf ".%s.svc.cluster.local" (include "flyte-secrets.namespace" .)) }}
      - {{ $service }}{{ . }}
      {{- end }}
      {{- with .Values.service.ingress }}
      {{- if and .enabled .host }}
      - {{ .host | quote }}
      {{- end }}
      {{- end }}
  auth: { mode: token }
  kubernetes: { namespace: {{ include "flyte-secrets.namespace" . }} }
webhook:
  listenPort: 9443
  {{- /* No NetworkPolicy holds on the node's own network: there only what has to be reached is. */}}
  cacheInvalidationPort: {{ ternary 0 9444 .Values.webhook.hostNetwork }}
  serviceName: {{ include "flyte-secrets.fullname" . }}-webhook
  servicePort: 443
  secretName: {{ include "flyte-secrets.fullname" . }}-webhook-secret
  certDir: /etc/webhook/certs
  disableCreateMutatingWebhookConfig: false
  embeddedSecretManagerConfig: { type: K8s, delivery: SecretRef }
  {{- $own := list "flyte-secrets-*" (printf "%s-*" (include "flyte-secrets.fullname" .)) .Values.service.tokenSecret .Values.service.tlsSecret .Values.webhook.tlsSecret }}
  k8sSecretManager: { protectedSecrets: {{ $own | compact | uniq | toJson }} }
executor:
  healthProbeBindAddress: {{ ternary "127.0.0.1:8081" ":8081" .Values.webhook.hostNetwork | quote }}
  metricsBindAddress: {{ ternary "" ":10254" .Values.webhook.hostNetwork | quote }}
{{- end -}}

{{/* What no value changes, since the pod has it so. */}}
{{- define "flyte-secrets.fixed" -}}
secret:
  store: { path: /var/lib/flyte-secrets/data }
  auth: { tokenFile: /etc/flyte/token/token }
  {{- if .Values.service.tlsSecret }}
  server: { tls: { certFile: /etc/flyte/tls/tls.crt, keyFile: /etc/flyte/tls/tls.key } }
  {{- end }}
webhook: { enabled: false, localCert: false }
{{- end -}}

{{/* What is ours in Flyte's values. Nothing else is taken: it may hold passwords. */}}
{{- define "flyte-secrets.given" -}}
{{- $inline := deepCopy .Values.configuration.inline -}}
{{- $components := index .Values "flyte-core-components" -}}
{{- $config := pick $inline "secret" "webhook" "secrets" "cache" "logger" "otel" -}}
{{- with $inline.executor -}}
  {{- $_ := set $config "executor" (pick . "healthProbeBindAddress" "metricsBindAddress" "metricsSecure") -}}
{{- end -}}
{{- range compact (list $inline.actions $components.actions) -}}
  {{- with .kubernetes -}}
    {{- include "flyte-secrets.fill" (dict "into" $config "from" (dict "actions" (dict "kubernetes" (pick . "namespace")))) -}}
  {{- end -}}
{{- end -}}
{{- range list "flyte-pod-webhook" "secretsWebhook" -}}
  {{- include "flyte-secrets.fill" (dict "into" $config "from" (dict "webhook" (index $inline . | default dict))) -}}
{{- end -}}
{{- include "flyte-secrets.fill" (dict "into" $config "from" (dict "secret" (deepCopy $components.secret))) -}}
{{- toYaml $config -}}
{{- end -}}

{{/* The configuration of both components, as YAML: Flyte's values over the chart's defaults. */}}
{{- define "flyte-secrets.config" -}}
{{- $config := include "flyte-secrets.fixed" . | fromYaml -}}
{{- include "flyte-secrets.fill" (dict "into" $config "from" (include "flyte-secrets.given" . | fromYaml)) -}}
{{- $both := dig "kubernetes" "namespace" "" $config.webhook -}}
{{- with $both -}}
  {{- include "flyte-secrets.fill" (dict "into" $config "from" (dict "secret" (dict "kubernetes" (dict "namespace" .)))) -}}
{{- end -}}
{{- include "flyte-secrets.fill" (dict "into" $config "from" (include "flyte-secrets.defaults" . | fromYaml)) -}}
{{- $namespace := $config.secret.kubernetes.namespace -}}
{{- /* Values that were given a place of their own were in the release's before. */}}
{{- if ne $namespace (include "flyte-secrets.namespace" .) -}}
  {{- include "flyte-secrets.fill" (dict "into" $config.secret.kubernetes "from" (dict "formerNamespace" (include "flyte-secrets.namespace" .))) -}}
{{- end -}}
{{- $pods := dig "actions" "kubernetes" "namespace" $namespace $config -}}
{{- $own := dict "embeddedSecretManagerConfig" (dict "k8sConfig" (dict "namespace" ($both | default $namespace))) "writtenSecrets" (dict "namespaces" (list $pods)) -}}
{{- include "flyte-secrets.fill" (dict "into" $config.webhook "from" $own) -}}
{{- if and .Values.service.enabled .Values.webhook.enabled (int $config.webhook.cacheInvalidationPort) (not $config.webhook.cacheInvalidationTokenFile) -}}
  {{- $kept := dict "cacheInvalidationTokenSecret" (printf "%s-invalidation" $config.webhook.secretName) -}}
  {{- include "flyte-secrets.fill" (dict "into" $config.webhook "from" $kept) -}}
{{- end -}}
{{- $webhookURL := "" -}}
{{- if and .Values.webhook.enabled (int $config.webhook.cacheInvalidationPort) -}}
  {{- $webhookURL = printf "http://%s-headless:%d" $config.webhook.serviceName (int $config.webhook.cacheInvalidationPort) -}}
{{- end -}}
{{- include "flyte-secrets.fill" (dict "into" $config.secret "from" (dict "webhookURL" $webhookURL)) -}}
{{- $registry := .Values.global.imageRegistry -}}
{{- $digest := .Values.webhook.fileMountImageDigest -}}
{{- if or $registry $digest -}}
  {{- $container := $config.webhook.embeddedSecretManagerConfig.fileMountInitContainer | default dict -}}
  {{- $image := $container.image | default (printf "%s/docker/library/busybox:latest" ($registry | default "public.ecr.aws" | trimSuffix "/")) -}}
  {{- with $digest }}{{ $image = printf "%s@%s" $image . }}{{ end -}}
  {{- $pinned := dict "fileMountInitContainer" (merge (dict "image" $image) $container) -}}
  {{- $_ := set $config.webhook "embeddedSecretManagerConfig" (merge $pinned $config.webhook.embeddedSecretManagerConfig) -}}
{{- end -}}
{{- if eq (lower $config.secret.store.type) "embedded" -}}
  {{- fail "secret.store.type: this chart keeps secrets in Kubernetes, since a pod's own files go with it; leave the key out" -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* The Secrets that are filled at run time, by whoever starts first: names as a JSON list. Takes root and webhook, the section. */}}
{{- define "flyte-secrets.filledSecrets" -}}
{{- $names := ternary (list .webhook.secretName) list (empty .root.Values.webhook.tlsSecret) -}}
{{- with .webhook -}}
{{- if include "flyte-secrets.writesSecrets" . }}{{ $names = append $names (printf "%s-naming" .secretName) }}{{ end -}}
{{- with .cacheInvalidationTokenSecret }}{{ $names = append $names . }}{{ end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{/* The namespace whose Secrets the webhook reads values from; empty when they are elsewhere. Takes the configuration. */}}
{{- define "flyte-secrets.valuesNamespace" -}}
{{- $type := lower .webhook.embeddedSecretManagerConfig.type -}}
{{- if dig "awsSecretManager" "enabled" false .webhook }}{{ $type = "aws" }}{{ end -}}
{{- if eq $type "k8s" -}}
{{- .webhook.embeddedSecretManagerConfig.k8sConfig.namespace -}}
{{- else if eq $type "store" -}}
{{- .secret.kubernetes.namespace -}}
{{- end -}}
{{- end -}}

{{/* The namespace whose image-pull Secrets the webhook copies; empty when it copies none. Takes the configuration. */}}
{{- define "flyte-secrets.imagePullNamespace" -}}
{{- if dig "imagePullSecrets" "enabled" false .webhook.embeddedSecretManagerConfig }}{{ .secret.imagePullNamespace }}{{ end -}}
{{- end -}}

{{/* Whether the webhook writes Secrets for pods ("true" or empty). Takes the webhook's section. */}}
{{- define "flyte-secrets.writesSecrets" -}}
{{- $embedded := .embeddedSecretManagerConfig -}}
{{- if or (eq (lower $embedded.delivery) "secretref") (dig "imagePullSecrets" "enabled" false $embedded) }}true{{ end -}}
{{- end -}}
