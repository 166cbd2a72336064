{{/*
Refuses values that give a second time what the chart gives: the API server takes no object with both. Takes the root.
*/}}
{{- define "flyte-secrets.checks" -}}
{{- $selecting := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" -}}
{{- $labels := concat $selecting (list "app.kubernetes.io/version" "app.kubernetes.io/part-of") -}}
{{- $annotations := list "checksum/config" -}}
{{- include "flyte-secrets.refuseTaken" (dict "value" "commonLabels" "given" (keys (.Values.commonLabels | default dict)) "taken" $labels) -}}
{{- include "flyte-secrets.refuseTaken" (dict "value" "commonAnnotations" "given" (keys (.Values.commonAnnotations | default dict)) "taken" $annotations) -}}
{{- $volumes := dict "service" (list "config" "data" "token" "tls") "webhook" (list "config" "certificate") -}}
{{- $paths := dict "service" (list "/etc/flyte/config.d" "/var/lib/flyte-secrets" "/etc/flyte/token" "/etc/flyte/tls") "webhook" (list "/etc/flyte/config.d") -}}
{{- range $component, $names := $volumes -}}
  {{- $values := index $.Values $component -}}
  {{- $account := $values.serviceAccount | default dict -}}
  {{- $containers := concat ($values.initContainers | default list) ($values.extraContainers | default list) -}}
  {{- range list
    (dict "value" "podLabels" "given" (keys ($values.podLabels | default dict)) "taken" $selecting)
    (dict "value" "deploymentLabels" "given" (keys ($values.deploymentLabels | default dict)) "taken" $labels)
    (dict "value" "serviceLabels" "given" (keys ($values.serviceLabels | default dict)) "taken" $labels)
    (dict "value" "serviceAccount.labels" "given" (keys ($account.labels | default dict)) "taken" $labels)
    (dict "value" "podAnnotations" "given" (keys ($values.podAnnotations | default dict)) "taken" $annotations)
    (dict "value" "extraEnv" "given" (include "flyte-secrets.namesOf" (dict "list" $values.extraEnv) | fromJsonArray) "taken" (list "POD_NAME" "POD_NAMESPACE"))
    (dict "value" "extraVolumes" "given" (include "flyte-secrets.namesOf" (dict "list" $values.extraVolumes) | fromJsonArray) "taken" $names)
    (dict "value" "extraVolumeMounts" "given" (include "flyte-secrets.namesOf" (dict "list" $values.extraVolumeMounts "key" "mountPath") | fromJsonArray) "taken" (index $paths $component))
    (dict "value" "initContainers and extraContainers" "given" (include "flyte-secrets.namesOf" (dict "list" $containers) | fromJsonArray) "taken" (list $component)) -}}
    {{- include "flyte-secrets.refuseTaken" (set . "value" (printf "%s.%s" $component .value)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* What the maps of a list have under `key`, by default `name`, as JSON. */}}
{{- define "flyte-secrets.namesOf" -}}
{{- $names := list -}}
{{- range .list }}{{ $names = append $names (index . ($.key | default "name")) }}{{ end -}}
{{- $names | compact | toJson -}}
{{- end -}}

{{/* Takes value (its name), given and taken (lists of texts). */}}
{{- define "flyte-secrets.refuseTaken" -}}
{{- $seen := list -}}
{{- range .given -}}
  {{- if has . $.taken }}{{ fail (printf "%s: the chart sets %s itself, and it can be there once: leave it out" $.value .) }}{{ end -}}
  {{- if has . $seen }}{{ fail (printf "%s: %s is there twice: leave one out" $.value .) }}{{ end -}}
  {{- $seen = append $seen . -}}
{{- end -}}
{{- end -}}

{{/*
Refuses namespaces that are not there, before a part of the release is: Helm would leave it behind. Where no cluster is seen, and for who may make
nothing in the whole cluster and need not see its namespaces, the API server alone tells. Takes the root.
*/}}
{{- define "flyte-secrets.namespacesAreThere" -}}
{{- $config := include "flyte-secrets.config" . | fromYaml -}}
{{- if and .Values.webhook.enabled (not $config.webhook.disableCreateMutatingWebhookConfig) (lookup "v1" "Namespace" "" "kube-system") -}}
  {{- $missing := list -}}
  {{- $values := include "flyte-secrets.valuesNamespace" $config -}}
  {{- $written := ternary $config.webhook.writtenSecrets.namespaces list (eq "true" (include "flyte-secrets.writesSecrets" $config.webhook)) -}}
  {{- $used := concat (list $config.secret.kubernetes.namespace $values) $written -}}
  {{- range $used | compact | uniq -}}
    {{- if not (or (eq . (include "flyte-secrets.namespace" $)) (lookup "v1" "Namespace" "" .)) }}{{ $missing = append $missing . }}{{ end -}}
  {{- end -}}
  {{- if $missing -}}
    {{- $some := ternary "a namespace is" "namespaces are" (eq (len $missing) 1) -}}
    {{- $made := join "; kubectl create namespace " $missing -}}
    {{- fail (printf "%s missing that this release has Roles in: %s. Make what is missing and try again: kubectl create namespace %s" $some (join ", " $missing) $made) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
