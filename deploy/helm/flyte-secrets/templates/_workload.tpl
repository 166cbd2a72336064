{{/* The configuration file and the account of a component. Takes root and component. */}}
{{- define "flyte-secrets.base" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "flyte-secrets.metadata" . | nindent 2 }}
  {{- with (index .root.Values .component).serviceAccountAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata: {{- include "flyte-secrets.metadata" . | nindent 2 }}
data:
  config.yaml: |
    {{- include "flyte-secrets.config" .root | nindent 4 }}
{{- end -}}

{{/* The Deployment of a component. Takes root, component, args, container (YAML: ports and probes), mounts and volumes (lists). */}}
{{- define "flyte-secrets.deployment" -}}
{{- $values := index .root.Values .component -}}
apiVersion: apps/v1
kind: Deployment
metadata: {{- include "flyte-secrets.metadata" . | nindent 2 }}
spec:
  replicas: {{ $values.replicas }}
  strategy:
    {{- /* On the node's network a further pod would need a further node. */}}
    rollingUpdate: {{ ternary "{ maxUnavailable: 1, maxSurge: 0 }" "{ maxUnavailable: 0, maxSurge: 1 }" (default false $values.hostNetwork) }}
  selector:
    matchLabels: {{- include "flyte-secrets.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "flyte-secrets.selector" . | nindent 8 }}
        {{- with $values.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      annotations:
        checksum/config: {{ include "flyte-secrets.config" .root | sha256sum }}
        {{- with $values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ include "flyte-secrets.name" . }}
      automountServiceAccountToken: true
      # Else a Service named like a setting would set it: SECRET_SERVER_PORT.
      enableServiceLinks: false
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.priorityClassName | default (include "flyte-secrets.priorityClass" .root) }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- if $values.hostNetwork }}
      hostNetwork: true
      # Else names of the cluster would not be found.
      dnsPolicy: ClusterFirstWithHostNet
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        fsGroup: 65532
        seccompProfile: { type: RuntimeDefault }
      topologySpreadConstraints:
        {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - topologyKey: {{ . }}
          maxSkew: 1
          whenUnsatisfiable: ScheduleAnyway
          matchLabelKeys: [pod-template-hash]
          labelSelector:
            matchLabels: {{- include "flyte-secrets.selector" $ | nindent 14 }}
        {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          {{- with .root.Values.image }}
          image: {{ .repository }}:{{ .tag | default $.root.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
          imagePullPolicy: {{ .pullPolicy }}
          {{- end }}
          args: {{- toYaml (concat .args (list "--config" "/etc/flyte/config.d/*.yaml")) | nindent 12 }}
          env:
            - name: POD_NAME
              valueFrom: { fieldRef: { fieldPath: metadata.name } }
            - name: POD_NAMESPACE
              valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
            {{- with $values.extraEnv }}{{ toYaml . | nindent 12 }}{{ end }}
          {{- .container | nindent 10 }}
          resources: {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: config, mountPath: /etc/flyte/config.d, readOnly: true }
            {{- with concat .mounts $values.extraVolumeMounts }}{{ toYaml . | nindent 12 }}{{ end }}
      volumes:
        - name: config
          configMap: { name: {{ include "flyte-secrets.name" . }} }
        {{- with concat .volumes $values.extraVolumes }}{{ toYaml . | nindent 8 }}{{ end }}
{{- end -}}

{{/* Lets one of several replicas be away at a time. Takes root and component. */}}
{{- define "flyte-secrets.disruptionBudget" -}}
{{- if gt (int (index .root.Values .component).replicas) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "flyte-secrets.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "flyte-secrets.selector" . | nindent 6 }}
{{- end }}
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
  policyTypes: [Ingress]
  {{- $admitted := list }}
  {{- range .rules }}
    {{- if and .port (or .from .isOpen) }}
      {{- $rule := dict "ports" (list (dict "port" (int .port) "protocol" "TCP")) }}
      {{- with .from }}{{ $_ := set $rule "from" . }}{{ end }}
      {{- $admitted = append $admitted $rule }}
    {{- end }}
  {{- end }}
  ingress: {{- toYaml $admitted | nindent 4 }}
{{- end }}
{{- end -}}
