{{/* What all names begin with where no other is given. */}}
{{- define "flyte-secrets.chartName" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "flyte-secrets.fullname" -}}
{{- $chart := include "flyte-secrets.chartName" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 44 | trimSuffix "-" -}}
{{- else if contains $chart .Release.Name -}}
{{- .Release.Name | trunc 44 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $chart | trunc 44 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Where the installation's own objects are. */}}
{{- define "flyte-secrets.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{/* Of a component's Deployment, roles and configuration. Takes root and component. */}}
{{- define "flyte-secrets.name" -}}
{{- include "flyte-secrets.fullname" .root -}}-{{- .component -}}
{{- end -}}

{{/* The service account of a component: the chart's or a given one. Takes root and component. */}}
{{- define "flyte-secrets.account" -}}
{{- $values := index .root.Values .component -}}
{{- with $values.serviceAccount -}}
{{- if and $values.enabled (not .create) (not .name) -}}
{{- fail (printf "%s.serviceAccount.name: which account runs the pods? With create: false name one that is there, of no other pods" $.component) -}}
{{- end -}}
{{- .name | default (include "flyte-secrets.name" $) -}}
{{- end -}}
{{- end -}}

{{/* What selects a component's pods. Takes root and component. */}}
{{- define "flyte-secrets.selector" -}}
app.kubernetes.io/name: {{ include "flyte-secrets.chartName" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Of every object. Takes root and component, and labels (a map) that this object has besides. */}}
{{- define "flyte-secrets.labels" -}}
{{ include "flyte-secrets.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: flyte
{{- with merge dict (.labels | default dict) (.root.Values.commonLabels | default dict) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The annotations of every object, where there are any. Takes root, and annotations (a map) that this object has besides. */}}
{{- define "flyte-secrets.annotations" -}}
{{- with merge dict (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Name, namespace, labels and annotations of an object. Takes root and component; name and namespace where they are others than the component's;
labels and annotations (maps) that it has besides; and isClusterWide for one without a namespace.
*/}}
{{- define "flyte-secrets.metadata" -}}
name: {{ .name | default (include "flyte-secrets.name" .) }}
{{- if not .isClusterWide }}
namespace: {{ .namespace | default (include "flyte-secrets.namespace" .root) }}
{{- end }}
labels: {{- include "flyte-secrets.labels" . | nindent 2 }}
{{- include "flyte-secrets.annotations" . }}
{{- end -}}

{{/* The PriorityClass of both components; empty when there is none. Takes the root. */}}
{{- define "flyte-secrets.priorityClass" -}}
{{- with .Values.priorityClass }}{{ .name | default (ternary (printf "%s-%s" (include "flyte-secrets.namespace" $) (include "flyte-secrets.fullname" $)) "" .create) }}{{ end -}}
{{- end -}}

{{/* The Secret for the certificate that the service makes itself; empty when it makes none. Takes the root. */}}
{{- define "flyte-secrets.selfMadeTlsSecret" -}}
{{- $name := include "flyte-secrets.name" (dict "root" . "component" "service") -}}
{{- $secret := printf "%s-tls" $name -}}
{{- $isWanted := .Values.service.selfMadeTls -}}
{{- if kindIs "invalid" $isWanted -}}
  {{- $isWanted = false -}}
  {{- $namespace := include "flyte-secrets.namespace" . -}}
  {{- /* Every rendering looks like a first installation where no cluster is seen: there nothing changes by itself. */}}
  {{- if and (not .Values.service.ingress.enabled) (lookup "v1" "Namespace" "" "kube-system") -}}
    {{- $isWanted = or (lookup "v1" "Secret" $namespace $secret) (not (lookup "apps/v1" "Deployment" $namespace $name)) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.service.enabled $isWanted (not .Values.service.tlsSecret) }}{{ $secret }}{{ end -}}
{{- end -}}
