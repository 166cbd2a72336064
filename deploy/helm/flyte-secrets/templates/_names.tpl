{{- define "flyte-secrets.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 44 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 44 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 44 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Of a component's Deployment, account, roles and configuration. Takes root and component. */}}
{{- define "flyte-secrets.name" -}}
{{- include "flyte-secrets.fullname" .root -}}-{{- .component -}}
{{- end -}}

{{/* What selects a component's pods. Takes root and component. */}}
{{- define "flyte-secrets.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "flyte-secrets.labels" -}}
{{ include "flyte-secrets.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: flyte
{{- end -}}

{{/* Name, namespace and labels of an object. Takes root and component, and name and namespace where they are others than the component's. */}}
{{- define "flyte-secrets.metadata" -}}
name: {{ .name | default (include "flyte-secrets.name" .) }}
namespace: {{ .namespace | default .root.Release.Namespace }}
labels: {{- include "flyte-secrets.labels" . | nindent 2 }}
{{- end -}}

{{/* The PriorityClass of both components; empty when there is none. Takes the root. */}}
{{- define "flyte-secrets.priorityClass" -}}
{{- with .Values.priorityClass }}{{ .name | default (ternary (printf "%s-%s" $.Release.Namespace (include "flyte-secrets.fullname" $)) "" .create) }}{{ end -}}
{{- end -}}

{{/* The Secret for the certificate that the service makes itself; empty when it makes none. Takes the root. */}}
{{- define "flyte-secrets.selfMadeTlsSecret" -}}
{{- $name := include "flyte-secrets.name" (dict "root" . "component" "service") -}}
{{- $secret := printf "%s-tls" $name -}}
{{- $isWanted := .Values.service.selfMadeTls -}}
{{- if kindIs "invalid" $isWanted -}}
  {{- $isWanted = false -}}
  {{- /* Every rendering looks like a first installation where no cluster is seen: there nothing changes by itself. */}}
  {{- if and (not .Values.service.ingress.enabled) (lookup "v1" "Namespace" "" "kube-system") -}}
    {{- $isWanted = or (lookup "v1" "Secret" .Release.Namespace $secret) (not (lookup "apps/v1" "Deployment" .Release.Namespace $name)) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.service.enabled $isWanted (not .Values.service.tlsSecret) }}{{ $secret }}{{ end -}}
{{- end -}}
