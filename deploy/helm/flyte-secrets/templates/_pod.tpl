{{/* An image's reference. Takes root and component, whose `image` says what is another than the chart's. */}}
{{- define "flyte-secrets.image" -}}
{{- $own := (index .root.Values .component).image -}}
{{- $chart := .root.Values.image -}}
{{- $registry := .root.Values.global.imageRegistry | default $own.registry | default $chart.registry -}}
{{- /* A digest says which image it is, so that of another one doesn't hold. */}}
{{- $digest := $own.digest | default (ternary "" $chart.digest (or $own.repository $own.tag | empty | not)) -}}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- $own.repository | default $chart.repository -}}:{{- $own.tag | default $chart.tag | default .root.Chart.AppVersion -}}
{{- with $digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* The Secrets that images are pulled with, which values name by a text or as Kubernetes has it: a list of LocalObjectReferences as JSON. */}}
{{- define "flyte-secrets.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (.Values.global.imagePullSecrets | default list) (.Values.imagePullSecrets | default list) -}}
  {{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) -}}
{{- end -}}
{{- $secrets | uniq | toJson -}}
{{- end -}}

{{/* The three probes. Takes values (the component's) and probe: what of `httpGet` is the same in all. */}}
{{- define "flyte-secrets.probes" -}}
{{- $paths := dict "startupProbe" "/healthz" "livenessProbe" "/healthz" "readinessProbe" "/readyz" -}}
{{- range $name := list "startupProbe" "livenessProbe" "readinessProbe" }}
{{- $given := index $.values $name }}
{{- if $given.enabled }}
{{ $name }}:
  httpGet: {{- toYaml (merge (dict "path" (index $paths $name)) $.probe) | nindent 4 }}
  {{- with omit $given "enabled" }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where pods run and with what around them: fields of a PodSpec. Takes root and component. */}}
{{- define "flyte-secrets.placement" -}}
{{- $values := index .root.Values .component -}}
{{- range $field := list "runtimeClassName" "terminationGracePeriodSeconds" "dnsConfig" "hostAliases" "nodeSelector" "tolerations" "affinity" }}
{{- with index $values $field }}
{{ $field }}: {{ if kindIs "string" . }}{{ . }}{{ else if or (kindIs "map" .) (kindIs "slice" .) }}{{ toYaml . | nindent 2 }}{{ else }}{{ int64 . }}{{ end }}
{{- end }}
{{- end }}
{{- with $values.priorityClassName | default (include "flyte-secrets.priorityClass" .root) }}
priorityClassName: {{ . }}
{{- end }}
{{- if $values.hostNetwork }}
hostNetwork: true
{{- end }}
{{- /* On the node's network names of the cluster would not be found by the default. */}}
{{- with $values.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "" (default false $values.hostNetwork)) }}
dnsPolicy: {{ . }}
{{- end }}
{{- with include "flyte-secrets.topologySpread" . | fromJsonArray }}
topologySpreadConstraints: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Constraints as JSON: those of the values, with the component's pods where they say none, or over nodes and zones. */}}
{{- define "flyte-secrets.topologySpread" -}}
{{- $pods := dict "labelSelector" (dict "matchLabels" (include "flyte-secrets.selector" . | fromYaml)) -}}
{{- $given := (index .root.Values .component).topologySpreadConstraints -}}
{{- if kindIs "invalid" $given -}}
  {{- $given = list -}}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" -}}
    {{- $given = append $given (dict "topologyKey" . "maxSkew" 1 "whenUnsatisfiable" "ScheduleAnyway" "matchLabelKeys" (list "pod-template-hash")) -}}
  {{- end -}}
{{- end -}}
{{- $constraints := list -}}
{{- range $given }}
  {{- if hasKey . "labelSelector" }}{{ $constraints = append $constraints . }}{{ else }}{{ $constraints = append $constraints (merge dict . $pods) }}{{ end -}}
{{- end -}}
{{- toJson $constraints -}}
{{- end -}}
