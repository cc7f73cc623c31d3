{{- /*
What the operator may do. A verb that the operator does not use is missing on purpose: `update` (it
patches), `delete` on claims and on Secrets but one (they outlive everything), `escalate` and `bind` (it cannot
give an agent more than it has itself).
*/ -}}

{{- /* Rights in every namespace that is watched. */ -}}
{{- define "openclaw-operator.namespacedRules" -}}
- apiGroups: [openclaw.rocks]
  resources: [openclawinstances]
  # patch: the finalizer. create: for an AgentInstance.
  verbs: [get, list, watch, create, patch]
- apiGroups: [openclaw.rocks]
  resources: [openclawinstances/status]
  verbs: [patch]
# Each stands for an instance, which it owns.
- apiGroups: [openclaw.io]
  resources: [agentinstances]
  verbs: [get, list, watch]
- apiGroups: [openclaw.io]
  resources: [agentinstances/status]
  verbs: [patch]
- apiGroups: [openclaw.io]
  resources: [agentinstances/finalizers]
  verbs: [update]
# What agents ask to have changed about themselves. create: a trial that must be refused, and passed
# on to agents with get. delete: an hour after its end.
- apiGroups: [openclaw.rocks]
  resources: [openclawselfconfigs]
  verbs: [get, list, watch, create, delete]
- apiGroups: [openclaw.rocks]
  resources: [openclawselfconfigs/status]
  verbs: [patch]
# Owned objects block the deletion of their instance. Where OwnerReferencesPermissionEnforcement is
# on, as in OpenShift, that needs this right.
- apiGroups: [openclaw.rocks]
  resources: [openclawinstances/finalizers]
  verbs: [update]
# Objects of an instance: applied by patch, deleted when they are no longer rendered.
- apiGroups: [""]
  resources: [configmaps, serviceaccounts, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch, create, patch, delete]
# Very old versions of the Go operator ran an agent in a Deployment: it is looked for by its name before
# a StatefulSet is made, and goes before one starts.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [get, list, watch, create, patch, delete]
# What came of backups; restores.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [rolebindings, roles]
  verbs: [get, list, watch, create, patch, delete]
# Kinds of the Prometheus Operator, made for instances that ask for them where the cluster has them.
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules, servicemonitors]
  verbs: [get, list, watch, create, patch, delete]
# Of the Gateway API, made for instances that ask for it where the cluster has it.
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
# Of Traefik, made for Ingresses of its class that ask for a password, a limit or HSTS.
- apiGroups: [traefik.io]
  resources: [middlewares]
  verbs: [get, list, watch, create, patch, delete]
# An agent's volume: made once, then expanded or released.
# delete: never called. Where owner references are guarded, as on OpenShift, whoever ties a claim to
# its instance or releases it must be allowed to delete it.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
# The gateway's token is made once. Others are read when an instance names them, for their hash.
# update, patch: never called. Tailscale keeps its state in one Secret by the agent's Role, and nobody
# can pass on what he lacks.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, update, patch]
# The copy of the shared storage's Secret goes when nobody in its namespace uses it.
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [openclaw-shared-backup]
  verbs: [delete]
{{- if (default dict (default dict .Values.backup).s3).shareWith }}
# An annotation says what else a namespace may restore from the shared storage.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
{{- end }}
# patch: an annotation that makes the kubelet refresh mounted ConfigMaps at once.
# get: never called. Agents may get it by `additionalRules`, and nobody can pass on what he lacks.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch]
# patch: an event that repeats is counted.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- with .Values.rbac.extraRules }}
# rbac.extraRules: for agents.
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Rights to what is in no namespace. Without them, there are no cluster-wide defaults. */ -}}
{{- define "openclaw-operator.clusterRules" -}}
- apiGroups: [openclaw.rocks]
  resources: [openclawclusterdefaults]
  verbs: [get, list, watch]
{{- end }}
