{{/* What everything of ours bears; a name for those that have one of their own. */}}
{{- define "cairn.labels" -}}
app.kubernetes.io/part-of: cairn
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "cairn.image" -}}
{{ .root.Values.image.registry }}{{ .name }}{{ with .root.Values.image.tag }}:{{ . }}{{ end }}
{{- end }}

{{/* A pod that may do nothing. */}}
{{- define "cairn.pod" -}}
serviceAccountName: cairn
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "cairn.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: ["ALL"]
{{- end }}

{{/* The secrets of a pod as files: a list of {secret, items}. */}}
{{- define "cairn.secrets" -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range . }}
      - secret:
          name: {{ .secret }}
          items:
            {{- range $key, $path := .items }}
            - key: {{ $key }}
              path: {{ $path }}
            {{- end }}
      {{- end }}
{{- end }}

{{/* Three APIs had other names before Kubernetes 1.23. */}}
{{- define "cairn.modern" -}}
{{ if semverCompare ">=1.23-0" .Capabilities.KubeVersion.Version }}yes{{ end }}
{{- end }}
