{{/* The configuration file and the account of a component. Takes root and component. */}}
{{- define "flyte-secrets.base" -}}
{{- with (index .root.Values .component).serviceAccount }}
{{- if .create }}
apiVersion: v1
kind: ServiceAccount
metadata: {{- include "flyte-secrets.metadata" (merge (dict "name" (include "flyte-secrets.account" $) "labels" .labels "annotations" .annotations) $) | nindent 2 }}
automountServiceAccountToken: false
---
{{- end }}
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata: {{- include "flyte-secrets.metadata" . | nindent 2 }}
data:
  config.yaml: |
    {{- include "flyte-secrets.config" .root | nindent 4 }}
{{- end -}}

{{/*
The Deployment of a component. Takes root, component, args, ports (YAML), probe (what probes ask for), mounts and volumes (lists), and lifecycle
(a map) where the container has one.
*/}}
{{- define "flyte-secrets.deployment" -}}
{{- $values := index .root.Values .component -}}
apiVersion: apps/v1
kind: Deployment
metadata: {{- include "flyte-secrets.metadata" (merge (dict "labels" $values.deploymentLabels "annotations" $values.deploymentAnnotations) .) | nindent 2 }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  {{- if not (kindIs "invalid" $values.revisionHistoryLimit) }}
  revisionHistoryLimit: {{ $values.revisionHistoryLimit }}
  {{- end }}
  {{- /* On the node's network a further pod would need a further node. */}}
  {{- $rolling := ternary (dict "maxUnavailable" 1 "maxSurge" 0) (dict "maxUnavailable" 0 "maxSurge" 1) (default false $values.hostNetwork) }}
  strategy: {{- $values.strategy | default (dict "rollingUpdate" $rolling) | toYaml | nindent 4 }}
  selector:
    matchLabels: {{- include "flyte-secrets.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "flyte-secrets.selector" . | nindent 8 }}
        {{- with merge dict ($values.podLabels | default dict) (.root.Values.commonLabels | default dict) }}{{ toYaml . | nindent 8 }}{{ end }}
      annotations:
        checksum/config: {{ include "flyte-secrets.config" .root | sha256sum }}
        {{- with merge dict ($values.podAnnotations | default dict) (.root.Values.commonAnnotations | default dict) }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ include "flyte-secrets.account" . }}
      automountServiceAccountToken: true
      # Else a Service named like a setting would set it: SECRET_SERVER_PORT.
      enableServiceLinks: false
      {{- with include "flyte-secrets.imagePullSecrets" .root | fromJsonArray }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.podSecurityContext }}
      securityContext: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with include "flyte-secrets.placement" . | trim }}{{ . | nindent 6 }}{{ end }}
      {{- with $values.initContainers }}
      initContainers: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "flyte-secrets.image" . }}
          imagePullPolicy: {{ $values.image.pullPolicy | default .root.Values.image.pullPolicy }}
          args: {{- toYaml (concat .args (list "--config" "/etc/flyte/config.d/*.yaml") ($values.extraArgs | default list)) | nindent 12 }}
          env:
            - name: POD_NAME
              valueFrom: { fieldRef: { fieldPath: metadata.name } }
            - name: POD_NAMESPACE
              valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
            {{- with $values.extraEnv }}{{ toYaml . | nindent 12 }}{{ end }}
          {{- with $values.envFrom }}
          envFrom: {{- toYaml . | nindent 12 }}
          {{- end }}
          ports: {{- .ports | nindent 12 }}
          {{- include "flyte-secrets.probes" (dict "values" $values "probe" .probe) | nindent 10 }}
          {{- with .lifecycle }}
          lifecycle: {{- toYaml . | nindent 12 }}
          {{- end }}
          resources: {{- toYaml $values.resources | nindent 12 }}
          {{- with $values.containerSecurityContext }}
          securityContext: {{- toYaml . | nindent 12 }}
          {{- end }}
          volumeMounts:
            - { name: config, mountPath: /etc/flyte/config.d, readOnly: true }
            {{- with concat .mounts ($values.extraVolumeMounts | default list) }}{{ toYaml . | nindent 12 }}{{ end }}
        {{- with $values.extraContainers }}{{ toYaml . | nindent 8 }}{{ end }}
      volumes:
        - name: config
          configMap: { name: {{ include "flyte-secrets.name" . }} }
        {{- with concat .volumes ($values.extraVolumes | default list) }}{{ toYaml . | nindent 8 }}{{ end }}
{{- end -}}

{{/* How many replicas a component may have and how many of them may be away. Takes root and component. */}}
{{- define "flyte-secrets.availability" -}}
{{- $values := index .root.Values .component -}}
{{- with $values.podDisruptionBudget }}
{{- $hasMin := not (kindIs "invalid" .minAvailable) }}
{{- $hasMax := not (kindIs "invalid" .maxUnavailable) }}
{{- if and $hasMin $hasMax }}
{{- fail (printf "%s.podDisruptionBudget has minAvailable and maxUnavailable, and Kubernetes takes one of them: leave one out" $.component) }}
{{- end }}
{{- $replicas := int (ternary $values.autoscaling.minReplicas $values.replicas $values.autoscaling.enabled) }}
{{- /* By itself it never keeps the only replica where it is. */}}
{{- if and .enabled (or $hasMin $hasMax (gt $replicas 1)) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "flyte-secrets.metadata" $ | nindent 2 }}
spec:
  {{ if $hasMin }}minAvailable: {{ .minAvailable }}{{ else }}maxUnavailable: {{ ternary .maxUnavailable 1 $hasMax }}{{ end }}
  unhealthyPodEvictionPolicy: {{ .unhealthyPodEvictionPolicy }}
  selector:
    matchLabels: {{- include "flyte-secrets.selector" $ | nindent 6 }}
{{- end }}
{{- end }}
{{- with $values.autoscaling }}
{{- if .enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{- include "flyte-secrets.metadata" $ | nindent 2 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "flyte-secrets.name" $ }} }
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    {{- range $resource, $target := dict "cpu" .targetCPUUtilizationPercentage "memory" .targetMemoryUtilizationPercentage }}
    {{- with $target }}
    - type: Resource
      resource: { name: {{ $resource }}, target: { type: Utilization, averageUtilization: {{ . }} } }
    {{- end }}
    {{- end }}
    {{- with .metrics }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with .behavior }}
  behavior: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What of a component's Service the values say: metadata's part and the spec's. Takes root and component. */}}
{{- define "flyte-secrets.serviceMetadata" -}}
{{- $values := index .root.Values .component -}}
{{- include "flyte-secrets.metadata" (merge (dict "labels" $values.serviceLabels "annotations" $values.serviceAnnotations) .) }}
{{- end -}}

{{/* Takes root, component, and isHeadless. */}}
{{- define "flyte-secrets.serviceSpec" -}}
{{- with index .root.Values .component -}}
{{- if and .serviceType (not $.isHeadless) }}
type: {{ .serviceType }}
{{- end }}
{{- with .serviceIPFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .serviceIPFamilies }}
ipFamilies: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
selector: {{- include "flyte-secrets.selector" . | nindent 2 }}
{{- end -}}

{{/* A NetworkPolicy for a component's pods. Takes root, component and rules: a list of ports, each with its peers; without any it is closed, unless isOpen. */}}
{{- define "flyte-secrets.networkPolicy" -}}
{{- if (index .root.Values .component).networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{- include "flyte-secrets.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels: {{- include "flyte-secrets.selector" . | nindent 6 }}
  {{- $egress := (index .root.Values .component).networkPolicy.egress }}
  policyTypes: [Ingress{{ if not (kindIs "invalid" $egress) }}, Egress{{ end }}]
  {{- $admitted := list }}
  {{- range .rules }}
    {{- if and .port (or .from .isOpen) }}
      {{- $rule := dict "ports" (list (dict "port" (int .port) "protocol" "TCP")) }}
      {{- with .from }}{{ $_ := set $rule "from" . }}{{ end }}
      {{- $admitted = append $admitted $rule }}
    {{- end }}
  {{- end }}
  ingress: {{- toYaml $admitted | nindent 4 }}
  {{- if not (kindIs "invalid" $egress) }}
  egress: {{- toYaml $egress | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}
