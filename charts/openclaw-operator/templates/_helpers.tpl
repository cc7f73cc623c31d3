{{- /* Names and selector labels equal those of the Go operator's chart: a Deployment's selector cannot change. */ -}}

{{- define "openclaw-operator.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "openclaw-operator.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- default $full .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "openclaw-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "openclaw-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- /* What selects the operator's pods. */ -}}
{{- define "openclaw-operator.podSelectorLabels" -}}
{{ include "openclaw-operator.selectorLabels" . }}
control-plane: controller-manager
{{- end }}

{{- define "openclaw-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "openclaw-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "openclaw-operator.serviceAccountName" -}}
{{- $default := .Values.serviceAccount.create | ternary (include "openclaw-operator.fullname" .) "default" }}
{{- default $default .Values.serviceAccount.name }}
{{- end }}

{{- /* Who gets the operator's roles. */ -}}
{{- define "openclaw-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "openclaw-operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace | quote }}
{{- end }}

{{- define "openclaw-operator.metricsServiceName" -}}
{{ include "openclaw-operator.fullname" . | trunc 55 | trimSuffix "-" }}-metrics
{{- end }}

{{- define "openclaw-operator.metricsPort" -}}
{{ regexFind "[0-9]+$" .Values.metrics.bindAddress }}
{{- end }}

{{- /* Port of the collector that metrics are pushed to. */ -}}
{{- define "openclaw-operator.otlpPort" -}}
{{- $otlp := .Values.otlp }}
{{- $url := $otlp.endpoint | contains "://" | ternary $otlp.endpoint (printf "%s://%s" ($otlp.insecure | ternary "http" "https") $otlp.endpoint) | urlParse }}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (eq $url.scheme "https" | ternary "443" "80") }}
{{- end }}

{{- define "openclaw-operator.image" -}}
{{- $repository := .Values.image.repository }}
{{- if has $repository (list "ghcr.io/openclaw-rocks/openclaw-operator" "ghcr.io/paperclipinc/openclaw-operator") }}
{{- fail (printf "image.repository: %s is the Go operator's image. If an upgrade with --reuse-values brought it, use --reset-then-reuse-values." $repository) }}
{{- end }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default (printf "v%s" .Chart.AppVersion) .Values.image.tag) }}
{{- end }}
{{- end }}

{{- /* Numbers are levels of the Go operator's logging library. */ -}}
{{- define "openclaw-operator.logLevel" -}}
{{- $level := default "info" .Values.logLevel | toString }}
{{- if regexMatch "^[0-9]+$" $level }}
{{- $level = get (dict "0" "info" "1" "debug") $level | default "trace" }}
{{- end }}
{{- $level }}
{{- end }}

{{- /* One line for each value that is set, and has no effect, and would have had one in the Go operator's chart. */ -}}
{{- define "openclaw-operator.withoutEffect" -}}
{{- $webhook := "there is no webhook: the rules are in the CustomResourceDefinitions" }}
{{- range list
    (list "leaderElection.resourceName" "" "the Lease is always openclaw-operator.openclaw.rocks, so that two operators never work at once")
    (list "metrics.secure" false "metrics are plain HTTP: narrow networkPolicy.metricsFrom instead")
    (list "webhook.enabled" false $webhook)
    (list "webhook.port" 9443 $webhook)
    (list "webhook.certManager.enabled" true $webhook)
    (list "webhook.certManager.issuerRef.name" "" $webhook)
    (list "webhook.certManager.issuerRef.kind" "" $webhook)
}}
{{- $value := $.Values }}
{{- range splitList "." (index . 0) }}
{{- $value = get (default dict $value) . }}
{{- end }}
{{- if not (has (toString $value) (list "" (toString (index . 1)))) }}
{{ index . 0 }}: {{ index . 2 }}
{{- end }}
{{- end }}
{{- end }}
