//! Limits of single values: how they are written, how large they are, how lists are merged.
//!
//! An empty text means unset and is accepted in every optional field. Limits of lists and texts are
//! there for their own sake and so that the API server can bound the cost of the CEL rules. Those of
//! single values hold when a spec is resolved, too: tables are sorted by path.

use super::spellings::{
    ABSOLUTE, AGENT_ID, CONDITION_REASON, CONDITION_STATUS, CONDITION_TYPE, DURATION, ENV_NAME,
    FOLDER, FORCE_PATH, HOST, HOST_NAME, IMAGE, INTERVAL, LABEL, MODEL, NAMESPACE, OBJECT_NAME,
    OPENING, PAGES_URL, PLUGIN, PORT_NAME, REALM, REGISTRY, RELATIVE, RESTORE_SOURCE, SCHEDULE,
    SERVER_URL, SKILL, TIME_ZONE, USER_NAME, VERSION, WEB_PATH, WORKSPACE_NAME,
};

/// A table of numeric limits: path, keyword, value.
type Numbers = &'static [(&'static str, &'static str, i64)];
/// A table of lists: path, kind, keys of its items.
type Lists = &'static [(&'static str, &'static str, &'static [&'static str])];
/// A table of times: path, fewest and most seconds.
pub(super) type Times = &'static [(&'static str, u32, u32)];

/// Lists of an instance that server-side apply does not merge as a whole.
pub(crate) const INSTANCE_LISTS: Lists = &[
    ("spec.config.forcePaths", "set", &[]),
    ("spec.env", "map", &["name"]),
    ("spec.networking.service.ports", "map", &["name"]),
    ("spec.skills", "set", &[]),
    ("spec.workspace.additionalWorkspaces", "map", &["name"]),
    ("spec.workspace.additionalWorkspaces[].skills", "set", &[]),
    ("status.conditions", "map", &["type"]),
];

/// Numeric limits of an instance.
pub(crate) const INSTANCE_NUMBERS: Numbers = &[
    ("spec.autoUpdate.checkInterval", "maxLength", 32),
    ("spec.autoUpdate.healthCheckTimeout", "maxLength", 32),
    ("spec.availability.autoScaling.maxReplicas", "minimum", 1),
    ("spec.availability.autoScaling.minReplicas", "minimum", 1),
    ("spec.availability.autoScaling.targetCPUUtilization", "maximum", 100),
    ("spec.availability.autoScaling.targetCPUUtilization", "minimum", 1),
    ("spec.availability.autoScaling.targetMemoryUtilization", "maximum", 100),
    ("spec.availability.autoScaling.targetMemoryUtilization", "minimum", 1),
    ("spec.availability.nodeSelector", "maxProperties", 64),
    ("spec.availability.podDisruptionBudget.maxUnavailable", "minimum", 0),
    ("spec.availability.runtimeClassName", "maxLength", 253),
    ("spec.backup.failedHistoryLimit", "minimum", 0),
    ("spec.backup.historyLimit", "minimum", 0),
    ("spec.backup.retentionDays", "maximum", 365),
    ("spec.backup.retentionDays", "minimum", 1),
    ("spec.backup.schedule", "maxLength", 256),
    ("spec.backup.timeout", "maxLength", 32),
    ("spec.chromium.extraEnv", "maxItems", 200),
    ("spec.chromium.extraEnv[].name", "minLength", 1),
    ("spec.chromium.persistence.existingClaim", "maxLength", 253),
    ("spec.chromium.persistence.storageClass", "maxLength", 253),
    ("spec.config.configMapRef.name", "maxLength", 253),
    ("spec.config.configMapRef.name", "minLength", 1),
    ("spec.config.forcePaths", "maxItems", 20),
    ("spec.config.forcePaths[]", "maxLength", 253),
    ("spec.env", "maxItems", 200),
    ("spec.envFrom", "maxItems", 100),
    ("spec.env[].name", "minLength", 1),
    ("spec.extraVolumeMounts", "maxItems", 10),
    ("spec.extraVolumes", "maxItems", 10),
    ("spec.gateway.controlUiOrigins", "maxItems", 20),
    ("spec.gateway.existingSecret", "maxLength", 253),
    ("spec.image.pullSecrets", "maxItems", 50),
    ("spec.initContainers", "maxItems", 10),
    ("spec.maintenanceWindows", "maxItems", 20),
    ("spec.maintenanceWindows[].duration", "maxLength", 32),
    ("spec.maintenanceWindows[].duration", "minLength", 1),
    ("spec.maintenanceWindows[].schedule", "maxLength", 128),
    ("spec.maintenanceWindows[].timeZone", "maxLength", 64),
    ("spec.netbird.hostname", "maxLength", 63),
    ("spec.netbird.managementURL", "maxLength", 253),
    ("spec.networking.httpRoute.annotations", "maxProperties", 100),
    ("spec.networking.httpRoute.hostnames", "maxItems", 16),
    ("spec.networking.httpRoute.hostnames[]", "maxLength", 253),
    ("spec.networking.httpRoute.parentRefs", "maxItems", 32),
    ("spec.networking.httpRoute.parentRefs[].name", "maxLength", 253),
    ("spec.networking.httpRoute.parentRefs[].name", "minLength", 1),
    ("spec.networking.httpRoute.parentRefs[].namespace", "maxLength", 63),
    ("spec.networking.httpRoute.parentRefs[].sectionName", "maxLength", 253),
    ("spec.networking.httpRoute.port", "maximum", 65535),
    ("spec.networking.httpRoute.port", "minimum", 1),
    ("spec.networking.ingress.annotations", "maxProperties", 100),
    ("spec.networking.ingress.className", "maxLength", 253),
    ("spec.networking.ingress.hosts", "maxItems", 20),
    ("spec.networking.ingress.hosts[].host", "maxLength", 255),
    ("spec.networking.ingress.hosts[].paths", "maxItems", 100),
    ("spec.networking.ingress.hosts[].paths[].path", "maxLength", 1024),
    ("spec.networking.ingress.hosts[].paths[].port", "maximum", 65535),
    ("spec.networking.ingress.hosts[].paths[].port", "minimum", 1),
    ("spec.networking.ingress.security.basicAuth.existingSecret", "maxLength", 253),
    ("spec.networking.ingress.security.basicAuth.realm", "maxLength", 64),
    ("spec.networking.ingress.security.basicAuth.username", "maxLength", 64),
    ("spec.networking.ingress.security.rateLimiting.requestsPerSecond", "minimum", 1),
    ("spec.networking.ingress.tls", "maxItems", 20),
    ("spec.networking.ingress.tls[].hosts", "maxItems", 100),
    ("spec.networking.ingress.tls[].hosts[]", "maxLength", 255),
    ("spec.networking.ingress.tls[].secretName", "maxLength", 253),
    ("spec.networking.metricsIngress.allowedCIDRs", "maxItems", 100),
    ("spec.networking.metricsIngress.allowedCIDRs[]", "maxLength", 64),
    ("spec.networking.metricsIngress.allowedNamespaces", "maxItems", 100),
    ("spec.networking.metricsIngress.allowedNamespaces[]", "maxLength", 63),
    ("spec.networking.service.annotations", "maxProperties", 100),
    ("spec.networking.service.ports", "maxItems", 20),
    ("spec.networking.service.ports[].name", "maxLength", 63),
    ("spec.networking.service.ports[].name", "minLength", 1),
    ("spec.networking.service.ports[].nodePort", "maximum", 65535),
    ("spec.networking.service.ports[].nodePort", "minimum", 1),
    ("spec.networking.service.ports[].port", "maximum", 65535),
    ("spec.networking.service.ports[].port", "minimum", 1),
    ("spec.networking.service.ports[].targetPort", "maximum", 65535),
    ("spec.networking.service.ports[].targetPort", "minimum", 1),
    ("spec.observability.metrics.grafanaDashboard.folder", "maxLength", 255),
    ("spec.observability.metrics.grafanaDashboard.labels", "maxProperties", 64),
    ("spec.observability.metrics.port", "maximum", 65535),
    ("spec.observability.metrics.port", "minimum", 1),
    ("spec.observability.metrics.prometheusRule.labels", "maxProperties", 64),
    ("spec.observability.metrics.prometheusRule.runbookBaseURL", "maxLength", 512),
    ("spec.observability.metrics.serviceMonitor.interval", "maxLength", 32),
    ("spec.observability.metrics.serviceMonitor.labels", "maxProperties", 64),
    ("spec.ollama.gpu", "minimum", 0),
    ("spec.ollama.models", "maxItems", 10),
    ("spec.ollama.models[]", "maxLength", 200),
    ("spec.ollama.models[]", "minLength", 1),
    ("spec.ollama.storage.existingClaim", "maxLength", 253),
    ("spec.plugins", "maxItems", 20),
    ("spec.plugins[]", "maxLength", 128),
    ("spec.plugins[]", "minLength", 1),
    ("spec.podAnnotations", "maxProperties", 100),
    ("spec.probes.diskReadiness.path", "maxLength", 4096),
    ("spec.probes.liveness.failureThreshold", "minimum", 1),
    ("spec.probes.liveness.initialDelaySeconds", "minimum", 0),
    ("spec.probes.liveness.periodSeconds", "minimum", 1),
    ("spec.probes.liveness.timeoutSeconds", "minimum", 1),
    ("spec.probes.readiness.failureThreshold", "minimum", 1),
    ("spec.probes.readiness.initialDelaySeconds", "minimum", 0),
    ("spec.probes.readiness.periodSeconds", "minimum", 1),
    ("spec.probes.readiness.timeoutSeconds", "minimum", 1),
    ("spec.probes.startup.failureThreshold", "minimum", 1),
    ("spec.probes.startup.initialDelaySeconds", "minimum", 0),
    ("spec.probes.startup.periodSeconds", "minimum", 1),
    ("spec.probes.startup.timeoutSeconds", "minimum", 1),
    ("spec.registry", "maxLength", 512),
    ("spec.replicas", "maximum", 1),
    ("spec.replicas", "minimum", 0),
    ("spec.restoreFrom", "maxLength", 1100),
    ("spec.security.caBundle.configMapName", "maxLength", 253),
    ("spec.security.caBundle.secretName", "maxLength", 253),
    ("spec.security.containerSecurityContext.runAsUser", "maximum", 2_147_483_647),
    ("spec.security.containerSecurityContext.runAsUser", "minimum", 1),
    ("spec.security.networkPolicy.additionalEgress", "maxItems", 50),
    ("spec.security.networkPolicy.additionalEgress[].ports", "maxItems", 50),
    ("spec.security.networkPolicy.additionalEgress[].ports[].port", "maxLength", 15),
    ("spec.security.networkPolicy.additionalEgress[].to", "maxItems", 50),
    ("spec.security.networkPolicy.additionalEgress[].to[].ipBlock.cidr", "maxLength", 64),
    ("spec.security.networkPolicy.additionalEgress[].to[].ipBlock.except", "maxItems", 20),
    ("spec.security.networkPolicy.additionalEgress[].to[].ipBlock.except[]", "maxLength", 64),
    ("spec.security.networkPolicy.allowedEgressCIDRs", "maxItems", 100),
    ("spec.security.networkPolicy.allowedEgressCIDRs[]", "maxLength", 64),
    ("spec.security.networkPolicy.allowedIngressCIDRs", "maxItems", 100),
    ("spec.security.networkPolicy.allowedIngressCIDRs[]", "maxLength", 64),
    ("spec.security.networkPolicy.allowedIngressNamespaces", "maxItems", 100),
    ("spec.security.networkPolicy.allowedIngressNamespaces[]", "maxLength", 63),
    ("spec.security.podSecurityContext.fsGroup", "maximum", 2_147_483_647),
    ("spec.security.podSecurityContext.fsGroup", "minimum", 0),
    ("spec.security.podSecurityContext.runAsGroup", "maximum", 2_147_483_647),
    ("spec.security.podSecurityContext.runAsGroup", "minimum", 0),
    ("spec.security.podSecurityContext.runAsUser", "maximum", 2_147_483_647),
    ("spec.security.podSecurityContext.runAsUser", "minimum", 1),
    ("spec.security.rbac.additionalRules[].apiGroups", "minItems", 1),
    ("spec.security.rbac.additionalRules[].resources", "minItems", 1),
    ("spec.security.rbac.additionalRules[].verbs", "minItems", 1),
    ("spec.security.rbac.serviceAccountAnnotations", "maxProperties", 100),
    ("spec.security.rbac.serviceAccountName", "maxLength", 253),
    ("spec.selfConfigure.allowedActions", "maxItems", 4),
    ("spec.sidecarVolumes", "maxItems", 20),
    ("spec.sidecars", "maxItems", 10),
    ("spec.skills", "maxItems", 20),
    ("spec.skillsInstall.timeoutSeconds", "maximum", 3600),
    ("spec.skillsInstall.timeoutSeconds", "minimum", 30),
    ("spec.skills[]", "maxLength", 128),
    ("spec.skills[]", "minLength", 1),
    ("spec.storage.persistence.existingClaim", "maxLength", 253),
    ("spec.storage.persistence.storageClass", "maxLength", 253),
    ("spec.tailscale.hostname", "maxLength", 63),
    ("spec.workspace.additionalWorkspaces", "maxItems", 10),
    ("spec.workspace.additionalWorkspaces[].configMapRef.name", "maxLength", 253),
    ("spec.workspace.additionalWorkspaces[].configMapRef.name", "minLength", 1),
    ("spec.workspace.additionalWorkspaces[].initialDirectories", "maxItems", 20),
    ("spec.workspace.additionalWorkspaces[].initialDirectories[]", "maxLength", 253),
    ("spec.workspace.additionalWorkspaces[].initialDirectories[]", "minLength", 1),
    ("spec.workspace.additionalWorkspaces[].initialFiles", "maxProperties", 50),
    ("spec.workspace.additionalWorkspaces[].managedFiles", "maxItems", 50),
    ("spec.workspace.additionalWorkspaces[].managedFiles[].path", "maxLength", 253),
    ("spec.workspace.additionalWorkspaces[].managedFiles[].path", "minLength", 1),
    ("spec.workspace.additionalWorkspaces[].name", "maxLength", 63),
    ("spec.workspace.additionalWorkspaces[].name", "minLength", 1),
    ("spec.workspace.additionalWorkspaces[].skills", "maxItems", 20),
    ("spec.workspace.additionalWorkspaces[].skills[]", "maxLength", 128),
    ("spec.workspace.additionalWorkspaces[].skills[]", "minLength", 1),
    ("spec.workspace.configMapRef.name", "maxLength", 253),
    ("spec.workspace.configMapRef.name", "minLength", 1),
    ("spec.workspace.initialDirectories", "maxItems", 20),
    ("spec.workspace.initialDirectories[]", "maxLength", 253),
    ("spec.workspace.initialDirectories[]", "minLength", 1),
    ("spec.workspace.initialFiles", "maxProperties", 50),
    ("spec.workspace.managedFiles", "maxItems", 50),
    ("spec.workspace.managedFiles[].path", "maxLength", 253),
    ("spec.workspace.managedFiles[].path", "minLength", 1),
    ("status.conditions[].message", "maxLength", 32768),
    ("status.conditions[].observedGeneration", "minimum", 0),
    ("status.conditions[].reason", "maxLength", 1024),
    ("status.conditions[].reason", "minLength", 1),
    ("status.conditions[].type", "maxLength", 316),
];

/// How texts of an instance are written.
pub(crate) const INSTANCE_PATTERNS: &[(&str, &str)] = &[
    ("spec.availability.runtimeClassName", OBJECT_NAME),
    ("spec.backup.schedule", SCHEDULE),
    ("spec.backup.timeout", DURATION),
    ("spec.chromium.extraEnv[].name", ENV_NAME),
    ("spec.chromium.persistence.existingClaim", OBJECT_NAME),
    ("spec.chromium.persistence.storageClass", OBJECT_NAME),
    ("spec.config.configMapRef.name", OBJECT_NAME),
    ("spec.config.forcePaths[]", FORCE_PATH),
    ("spec.env[].name", ENV_NAME),
    ("spec.gateway.existingSecret", OBJECT_NAME),
    ("spec.image.version", VERSION),
    ("spec.maintenanceWindows[].schedule", OPENING),
    ("spec.maintenanceWindows[].timeZone", TIME_ZONE),
    ("spec.netbird.hostname", HOST_NAME),
    ("spec.netbird.managementURL", SERVER_URL),
    ("spec.networking.httpRoute.hostnames[]", HOST),
    ("spec.networking.httpRoute.parentRefs[].name", OBJECT_NAME),
    ("spec.networking.httpRoute.parentRefs[].namespace", NAMESPACE),
    ("spec.networking.httpRoute.parentRefs[].sectionName", OBJECT_NAME),
    ("spec.networking.ingress.className", OBJECT_NAME),
    ("spec.networking.ingress.hosts[].host", HOST),
    ("spec.networking.ingress.hosts[].paths[].path", WEB_PATH),
    ("spec.networking.ingress.security.basicAuth.existingSecret", OBJECT_NAME),
    ("spec.networking.ingress.security.basicAuth.realm", REALM),
    ("spec.networking.ingress.security.basicAuth.username", USER_NAME),
    ("spec.networking.ingress.tls[].hosts[]", HOST),
    ("spec.networking.ingress.tls[].secretName", OBJECT_NAME),
    ("spec.networking.metricsIngress.allowedNamespaces[]", LABEL),
    ("spec.networking.service.ports[].name", PORT_NAME),
    ("spec.observability.metrics.grafanaDashboard.folder", FOLDER),
    ("spec.observability.metrics.prometheusRule.runbookBaseURL", PAGES_URL),
    ("spec.observability.metrics.serviceMonitor.interval", INTERVAL),
    ("spec.ollama.models[]", MODEL),
    ("spec.ollama.storage.existingClaim", OBJECT_NAME),
    ("spec.plugins[]", PLUGIN),
    ("spec.probes.diskReadiness.path", ABSOLUTE),
    ("spec.registry", REGISTRY),
    ("spec.restoreFrom", RESTORE_SOURCE),
    ("spec.security.caBundle.configMapName", OBJECT_NAME),
    ("spec.security.caBundle.secretName", OBJECT_NAME),
    ("spec.security.networkPolicy.allowedIngressNamespaces[]", LABEL),
    ("spec.security.rbac.serviceAccountName", OBJECT_NAME),
    ("spec.skills[]", SKILL),
    ("spec.storage.persistence.existingClaim", OBJECT_NAME),
    ("spec.storage.persistence.storageClass", OBJECT_NAME),
    ("spec.tailscale.hostname", HOST_NAME),
    ("spec.workspace.additionalWorkspaces[].configMapRef.name", OBJECT_NAME),
    ("spec.workspace.additionalWorkspaces[].managedFiles[].path", RELATIVE),
    ("spec.workspace.additionalWorkspaces[].name", WORKSPACE_NAME),
    ("spec.workspace.additionalWorkspaces[].skills[]", SKILL),
    ("spec.workspace.configMapRef.name", OBJECT_NAME),
    ("spec.workspace.managedFiles[].path", RELATIVE),
    ("status.conditions[].reason", CONDITION_REASON),
    ("status.conditions[].type", CONDITION_TYPE),
];

/// Times of an instance, as Go writes them, with the fewest and the most seconds.
pub(crate) const INSTANCE_TIMES: Times = &[
    ("spec.autoUpdate.checkInterval", HOUR, 168 * HOUR),
    ("spec.autoUpdate.healthCheckTimeout", 2 * MINUTE, 30 * MINUTE),
    ("spec.maintenanceWindows[].duration", 5 * MINUTE, 168 * HOUR),
];
const HOUR: u32 = 60 * MINUTE;
const MINUTE: u32 = 60;

/// How a claim may be used by pods.
pub(crate) const ACCESS_MODES: &[&str] =
    &["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];

/// Texts of an instance of which only some exist.
pub(crate) const INSTANCE_CHOICES: &[(&str, &[&str])] = &[
    ("spec.rollout.onOperatorUpgrade", &["", "Hold", "Roll"]),
    ("spec.storage.persistence.accessModes[]", ACCESS_MODES),
    (
        "status.autoUpdate.updatePhase",
        &["", "BackingUp", "ApplyingUpdate", "HealthCheck", "RollingBack"],
    ),
    ("status.conditions[].status", CONDITION_STATUS),
];

/// The only defaults of the schema, as JSON: the scale subresource reads the stored object and fails
/// where the number of replicas is absent.
pub(super) const INSTANCE_DEFAULTS: &[(&str, &str)] = &[("spec", "{}"), ("spec.replicas", "1")];

/// Longest values of labels in maps of an instance. They are held where their keys are.
pub(super) const INSTANCE_LABELS: Numbers = &[
    ("spec.availability.nodeSelector{}", "maxLength", 63),
    ("spec.observability.metrics.grafanaDashboard.labels{}", "maxLength", 63),
    ("spec.observability.metrics.prometheusRule.labels{}", "maxLength", 63),
    ("spec.observability.metrics.serviceMonitor.labels{}", "maxLength", 63),
];

/// Fields of an instance that may be written as null.
pub(super) const INSTANCE_NULLABLE: &[&str] = &["spec.probes"];

/// Lists of cluster defaults that server-side apply does not merge as a whole.
pub(super) const CLUSTER_DEFAULTS_LISTS: Lists =
    &[("spec.env", "map", &["name"]), ("status.conditions", "map", &["type"])];

/// Numeric limits of cluster defaults.
pub(crate) const CLUSTER_DEFAULTS_NUMBERS: Numbers = &[
    ("spec.env", "maxItems", 200),
    ("spec.env[].name", "minLength", 1),
    ("spec.image.pullSecrets", "maxItems", 50),
    ("spec.registry", "maxLength", 512),
    ("status.conditions[].message", "maxLength", 32768),
    ("status.conditions[].observedGeneration", "minimum", 0),
    ("status.conditions[].reason", "maxLength", 1024),
    ("status.conditions[].reason", "minLength", 1),
    ("status.conditions[].type", "maxLength", 316),
];

/// How texts of cluster defaults are written.
pub(crate) const CLUSTER_DEFAULTS_PATTERNS: &[(&str, &str)] = &[
    ("spec.env[].name", ENV_NAME),
    ("spec.image.version", VERSION),
    ("spec.registry", REGISTRY),
    ("status.conditions[].reason", CONDITION_REASON),
    ("status.conditions[].type", CONDITION_TYPE),
];

/// Texts of cluster defaults of which only some exist.
pub(super) const CLUSTER_DEFAULTS_CHOICES: &[(&str, &[&str])] =
    &[("status.conditions[].status", CONDITION_STATUS)];

/// Numeric limits of a request. An agent writes them, so every text has one.
pub(super) const SELF_CONFIG_NUMBERS: Numbers = &[
    ("spec.addEnvVars", "maxItems", 10),
    ("spec.addEnvVars[].name", "maxLength", 253),
    ("spec.addEnvVars[].name", "minLength", 1),
    ("spec.addEnvVars[].value", "maxLength", 32768),
    ("spec.addSkills", "maxItems", 10),
    ("spec.addSkills[]", "maxLength", 253),
    ("spec.addWorkspaceFiles", "maxProperties", 10),
    ("spec.addWorkspaceFiles{}", "maxLength", 262_144),
    ("spec.instanceRef", "maxLength", 253),
    ("spec.instanceRef", "minLength", 1),
    ("spec.removeEnvVars", "maxItems", 10),
    ("spec.removeEnvVars[]", "maxLength", 253),
    ("spec.removeSkills", "maxItems", 10),
    ("spec.removeSkills[]", "maxLength", 253),
    ("spec.removeWorkspaceFiles", "maxItems", 10),
    ("spec.removeWorkspaceFiles[]", "maxLength", 253),
];

/// How texts of a request are written.
pub(super) const SELF_CONFIG_PATTERNS: &[(&str, &str)] = &[("spec.addEnvVars[].name", ENV_NAME)];

/// Lists of the smaller kind.
pub(super) const AGENT_LISTS: Lists = &[("status.conditions", "map", &["type"])];

/// Numeric limits of the smaller kind.
pub(super) const AGENT_NUMBERS: Numbers = &[
    ("spec.agentId", "maxLength", 64),
    ("spec.autoscaling.maxReplicas", "minimum", 1),
    ("spec.autoscaling.minReplicas", "minimum", 1),
    ("spec.autoscaling.targetCPUUtilizationPercentage", "maximum", 100),
    ("spec.autoscaling.targetCPUUtilizationPercentage", "minimum", 1),
    ("spec.image", "maxLength", 800),
    ("spec.skills.allowedSources", "maxItems", 50),
    ("spec.skills.allowedSources[]", "maxLength", 253),
    ("spec.workspace.persistentVolumeClaim", "maxLength", 253),
    ("status.conditions[].message", "maxLength", 32768),
    ("status.conditions[].observedGeneration", "minimum", 0),
    ("status.conditions[].reason", "maxLength", 1024),
    ("status.conditions[].reason", "minLength", 1),
    ("status.conditions[].type", "maxLength", 316),
];

/// How texts of the smaller kind are written.
pub(super) const AGENT_PATTERNS: &[(&str, &str)] = &[
    ("spec.agentId", AGENT_ID),
    ("spec.image", IMAGE),
    ("spec.workspace.persistentVolumeClaim", OBJECT_NAME),
    ("status.conditions[].reason", CONDITION_REASON),
    ("status.conditions[].type", CONDITION_TYPE),
];
