{{/* The namespaces in which pods could name a managed Secret or one of the installation's: a list as JSON. Takes the root. */}}
{{- define "flyte-secrets.guardedNamespaces" -}}
{{- $config := include "flyte-secrets.config" . | fromYaml -}}
{{- list (include "flyte-secrets.namespace" .) $config.secret.kubernetes.namespace (include "flyte-secrets.valuesNamespace" $config) $config.secret.imagePullNamespace | compact | uniq | toJson -}}
{{- end -}}

{{/* The Secrets that are the installation's own, those that its pods are given by the values among them: a list as JSON. Takes the root. */}}
{{- define "flyte-secrets.ownSecrets" -}}
{{- $config := include "flyte-secrets.config" . | fromYaml -}}
{{- $webhook := $config.webhook -}}
{{- $given := list (dig "server" "tls" "secretName" "" $config.secret) .Values.service.tokenSecret .Values.service.tlsSecret .Values.service.ingress.tlsSecret .Values.webhook.tlsSecret -}}
{{- $names := concat $given (include "flyte-secrets.filledSecrets" (dict "root" . "webhook" $webhook) | fromJsonArray) -}}
{{- range list .Values.service .Values.webhook -}}
  {{- range append (concat (.initContainers | default list) (.extraContainers | default list)) (dict "env" .extraEnv "envFrom" .envFrom) -}}
    {{- range .env }}{{ $names = append $names (dig "valueFrom" "secretKeyRef" "name" "" .) }}{{ end -}}
    {{- range .envFrom }}{{ $names = append $names (dig "secretRef" "name" "" .) }}{{ end -}}
  {{- end -}}
  {{- range .extraVolumes -}}
    {{- $names = append $names (dig "secret" "secretName" "" .) -}}
    {{- range dig "projected" "sources" list . }}{{ $names = append $names (dig "secret" "name" "" .) }}{{ end -}}
  {{- end -}}
{{- end -}}
{{- $names | compact | uniq | toJson -}}
{{- end -}}

{{/* The Deployments of the installation, which its accounts are called after: a list as JSON. Takes the root. */}}
{{- define "flyte-secrets.deployments" -}}
{{- list (include "flyte-secrets.name" (dict "root" . "component" "service")) (include "flyte-secrets.name" (dict "root" . "component" "webhook")) | toJson -}}
{{- end -}}

{{/* Binds a policy, and refuses what it finds. Takes root, name, and namespaces (a list) where it does not hold everywhere. */}}
{{- define "flyte-secrets.policyBinding" -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  {{- $own := dict "component" "guard" "name" (include "flyte-secrets.policyName" .) "isClusterWide" true }}
  {{- include "flyte-secrets.metadata" (merge $own .) | nindent 2 }}
spec:
  policyName: {{ include "flyte-secrets.policyName" . }}
  validationActions: [Deny, Audit]
  {{- with .namespaces }}
  matchResources:
    namespaceSelector:
      matchExpressions: [{ key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }} }]
  {{- end }}
{{ end -}}

{{/* Its name carries the release's, so that two installations don't share it. Takes root and name. */}}
{{- define "flyte-secrets.policyName" -}}
{{ include "flyte-secrets.namespace" .root }}-{{ include "flyte-secrets.fullname" .root }}-{{ .name }}
{{- end -}}

{{/* The head of a policy. Takes root and name. */}}
{{- define "flyte-secrets.policyHead" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  {{- $own := dict "component" "guard" "name" (include "flyte-secrets.policyName" .) "isClusterWide" true }}
  {{- include "flyte-secrets.metadata" (merge $own .) | nindent 2 }}
{{- end -}}

{{/* The accounts of the installation: a list as JSON. Takes the root. */}}
{{- define "flyte-secrets.accounts" -}}
{{- list (include "flyte-secrets.account" (dict "root" . "component" "service")) (include "flyte-secrets.account" (dict "root" . "component" "webhook")) | toJson -}}
{{- end -}}
