{{/* Name, namespace, labels and annotations of an object for a monitor of another namespace's. Takes root, component, values and labels. */}}
{{- define "flyte-secrets.monitoringMetadata" -}}
{{- $namespace := .values.namespace | default (include "flyte-secrets.namespace" .root) -}}
{{- $own := dict "namespace" $namespace "annotations" .values.annotations "labels" .labels -}}
{{- include "flyte-secrets.metadata" (merge $own (omit . "annotations" "labels")) }}
{{- end -}}

{{/*
How a component's metrics are read: an item of a monitor's list as YAML. Takes root, values (the monitor's), isSecure, serverName, and caSecret
(empty: the certificate is not verified).
*/}}
{{- define "flyte-secrets.scrape" -}}
- port: metrics
  scheme: {{ ternary "https" "http" .isSecure }}
  {{- if .isSecure }}
  tlsConfig:
    serverName: {{ .serverName }}
    {{- $isHere := has (.values.namespace | default "") (list "" (include "flyte-secrets.namespace" .root)) }}
    {{- if and .caSecret $isHere }}
    ca: { secret: { name: {{ .caSecret }}, key: ca.crt } }
    {{- else }}
    insecureSkipVerify: true
    {{- end }}
  {{- end }}
  interval: {{ .values.interval }}
  scrapeTimeout: {{ .values.scrapeTimeout }}
  honorLabels: {{ .values.honorLabels }}
  {{- range $field := list "relabelings" "metricRelabelings" }}
  {{- with index $.values $field }}
  {{ $field }}: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end -}}

{{/* A ServiceMonitor and a PodMonitor, each where it is wanted. Takes root, component, isSecure, serverName and caSecret. */}}
{{- define "flyte-secrets.monitors" -}}
{{- range $kind, $list := dict "ServiceMonitor" "endpoints" "PodMonitor" "podMetricsEndpoints" }}
{{- $values := index $.root.Values (untitle $kind) }}
{{- if $values.enabled }}
{{- $it := merge (dict "values" $values "labels" $values.additionalLabels) $ }}
---
apiVersion: monitoring.coreos.com/v1
kind: {{ $kind }}
metadata: {{- include "flyte-secrets.monitoringMetadata" $it | nindent 2 }}
spec:
  namespaceSelector: { matchNames: [{{ include "flyte-secrets.namespace" $.root }}] }
  selector:
    matchLabels: {{- include "flyte-secrets.selector" $ | nindent 6 }}
  {{ $list }}: {{- include "flyte-secrets.scrape" $it | nindent 4 }}
{{- end }}
{{- end }}
{{- end -}}
