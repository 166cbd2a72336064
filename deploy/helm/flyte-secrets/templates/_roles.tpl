{{/* A Role in a namespace for a component's account. Takes root, component, namespace, and of what it is for: name and rules (YAML). */}}
{{- define "flyte-secrets.role" -}}
{{- if .root.Values.rbac.create }}
{{- $it := merge (dict "name" (printf "%s-%s" (include "flyte-secrets.name" .) .name)) . }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{- include "flyte-secrets.metadata" $it | nindent 2 }}
rules: {{- trim .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{- include "flyte-secrets.metadata" $it | nindent 2 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $it.name }} }
subjects: {{- include "flyte-secrets.subjects" . | nindent 2 }}
{{ end }}
{{- end -}}

{{/* As flyte-secrets.role, in all namespaces. Its name carries the release's, so that two installations don't share it. */}}
{{- define "flyte-secrets.clusterRole" -}}
{{- if .root.Values.rbac.create }}
{{- $name := printf "%s-%s-%s" (include "flyte-secrets.namespace" .root) (include "flyte-secrets.name" .) .name }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{- include "flyte-secrets.metadata" (merge (dict "name" $name "isClusterWide" true) .) | nindent 2 }}
rules: {{- trim .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{- include "flyte-secrets.metadata" (merge (dict "name" $name "isClusterWide" true) .) | nindent 2 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ $name }} }
subjects: {{- include "flyte-secrets.subjects" . | nindent 2 }}
{{ end }}
{{- end -}}

{{- define "flyte-secrets.subjects" -}}
- { kind: ServiceAccount, name: {{ include "flyte-secrets.account" . }}, namespace: {{ include "flyte-secrets.namespace" .root }} }
{{- end -}}

{{/* The service, where secrets are kept. Takes the namespace. It may not make the namespace, only see that it is there. */}}
{{- define "flyte-secrets.storeRules" -}}
- { apiGroups: [""], resources: [secrets], verbs: [create, get, list, watch, update, delete] }
- { apiGroups: [""], resources: [namespaces], resourceNames: [{{ . }}], verbs: [get] }
{{- end -}}

{{/* The service, where image-pull secrets have their second Secret. */}}
{{- define "flyte-secrets.imagePullRules" -}}
- { apiGroups: [""], resources: [secrets], verbs: [create, get, update, delete] }
{{- end -}}

{{/* The webhook, in its own namespace: what it fills. Takes the webhook's section and the chart's values. */}}
{{- define "flyte-secrets.ownRules" -}}
{{- if not (or .values.certManager.enabled .values.tlsSecret) }}
- { apiGroups: [""], resources: [secrets], resourceNames: [{{ .webhook.secretName }}], verbs: [get, list, watch, update] }
{{- end }}
{{- if include "flyte-secrets.writesSecrets" .webhook }}
- { apiGroups: [""], resources: [secrets], resourceNames: [{{ .webhook.secretName }}-naming], verbs: [get, update] }
{{- end }}
{{- include "flyte-secrets.tokenRules" .webhook }}
{{- end -}}

{{/* Either component, where the secrets were before: to see whether any are left there. */}}
{{- define "flyte-secrets.formerRules" -}}
- { apiGroups: [""], resources: [secrets], verbs: [list] }
{{- end -}}

{{/* The namespace that is looked at for secrets that were left there; empty when there is none. Takes the configuration. */}}
{{- define "flyte-secrets.formerNamespace" -}}
{{- with dig "kubernetes" "formerNamespace" "" .secret }}{{ if ne . $.secret.kubernetes.namespace }}{{ . }}{{ end }}{{ end -}}
{{- end -}}

{{/* Either component, in its own namespace: the token by which the webhook knows the service. Takes the webhook's section. */}}
{{- define "flyte-secrets.tokenRules" -}}
{{- with .cacheInvalidationTokenSecret }}
- { apiGroups: [""], resources: [secrets], resourceNames: [{{ . }}], verbs: [get, update] }
{{- end }}
{{- end -}}

{{/* The webhook, where the values and the image-pull Secrets are. */}}
{{- define "flyte-secrets.valuesRules" -}}
- { apiGroups: [""], resources: [secrets], verbs: [get, list, watch] }
{{- end -}}

{{/* The webhook, where it writes Secrets for pods. */}}
{{- define "flyte-secrets.writerRules" -}}
- { apiGroups: [""], resources: [secrets], verbs: [create, get, list, watch, patch, delete] }
- { apiGroups: [""], resources: [pods], verbs: [list] }
{{- end -}}

{{/* The webhook, where labels of namespaces say what their pods may claim. */}}
{{- define "flyte-secrets.namespaceLabelsRules" -}}
- { apiGroups: [""], resources: [namespaces], verbs: [get, list, watch] }
{{- end -}}

{{/* The webhook's registration, which is there already. Takes its name. */}}
{{- define "flyte-secrets.registrationRules" -}}
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations]
  resourceNames: [{{ . }}]
  verbs: [get, list, watch, update]
{{- end -}}
