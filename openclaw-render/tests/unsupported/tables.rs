//! Values, surroundings and exceptions of fields.

/// Fields that change no object, and why.
pub(crate) const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("spec.autoUpdate.backupBeforeUpdate", "decides by the record in status"),
    ("spec.autoUpdate.checkInterval", "decides when, not what"),
    ("spec.autoUpdate.enabled", "decides by the record in status"),
    ("spec.autoUpdate.healthCheckTimeout", "decides when, not what"),
    ("spec.autoUpdate.rollbackOnFailure", "decides by the record in status"),
    ("spec.maintenanceWindows[].duration", "decides when, not what"),
    ("spec.maintenanceWindows[].schedule", "decides when, not what"),
    ("spec.maintenanceWindows[].timeZone", "decides when, not what"),
    ("spec.networking.ingress.security.enableHSTS", "ingress-nginx decides for all hosts at once"),
    ("spec.restoreFrom", "decides by what is seen, and by the record in status"),
    ("spec.rollout.onOperatorUpgrade", "decides when, not what"),
    ("spec.selfConfigure.allowedSkillSources", "of requests, which come later"),
    ("spec.skillPackUpdatePolicy", "of skill packs, which nobody has fetched"),
];

/// Values for fields where not every value of the type is valid.
pub(crate) const SAMPLES: &[(&str, &str)] = &[
    (
        "spec.availability.affinity",
        r#"[{"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}}]"#,
    ),
    ("spec.availability.tolerations", r#"[[{"key": "a", "operator": "Exists"}]]"#),
    (
        "spec.availability.topologySpreadConstraints",
        r#"[[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]]"#,
    ),
    (
        "spec.chromium.extraEnv[].valueFrom.fieldRef",
        r#"[{"fieldPath": "metadata.name"}, {"fieldPath": "metadata.uid"}]"#,
    ),
    (
        "spec.chromium.extraEnv[].valueFrom.resourceFieldRef",
        r#"[{"resource": "limits.cpu"}, {"resource": "limits.memory"}]"#,
    ),
    (
        "spec.env[].valueFrom.fieldRef",
        r#"[{"fieldPath": "metadata.name"}, {"fieldPath": "metadata.uid"}]"#,
    ),
    (
        "spec.env[].valueFrom.resourceFieldRef",
        r#"[{"resource": "limits.cpu"}, {"resource": "limits.memory"}]"#,
    ),
    (
        "spec.networking.metricsIngress.podSelector",
        r#"[{"matchLabels": {"a": "b"}}, {"matchExpressions": [{"key": "a", "operator": "Exists"}]}]"#,
    ),
    (
        "spec.security.networkPolicy.additionalEgress[].to[].namespaceSelector",
        r#"[{"matchLabels": {"a": "b"}}, {"matchExpressions": [{"key": "a", "operator": "Exists"}]}]"#,
    ),
    (
        "spec.security.networkPolicy.additionalEgress[].to[].podSelector",
        r#"[{"matchLabels": {"a": "b"}}, {"matchExpressions": [{"key": "a", "operator": "Exists"}]}]"#,
    ),
    ("spec.availability.autoScaling.targetCPUUtilization", "[40, 60]"),
    ("spec.availability.autoScaling.targetMemoryUtilization", "[40, 60]"),
    ("spec.backup.retentionDays", "[30, 60]"),
    ("spec.backup.schedule", r#"["@daily", "@hourly"]"#),
    ("spec.backup.timeout", r#"["1h", "2h"]"#),
    ("spec.config.raw", r#"[{"session": {"scope": "per-sender"}}]"#),
    (
        "spec.image.digest",
        r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#,
    ),
    (
        "spec.gateway.image.digest",
        r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#,
    ),
    (
        "spec.chromium.image.digest",
        r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#,
    ),
    (
        "spec.extraVolumeMounts",
        r#"[[{"name": "x", "mountPath": "/x"}], [{"name": "x", "mountPath": "/y"}]]"#,
    ),
    (
        "spec.extraVolumes",
        r#"[[{"name": "x", "emptyDir": {}}], [{"name": "x", "emptyDir": {"sizeLimit": "1Gi"}}]]"#,
    ),
    (
        "spec.observability.metrics.collector.image.digest",
        r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#,
    ),
    ("spec.observability.metrics.port", "[9091, 9092]"),
    ("spec.observability.metrics.serviceMonitor.interval", r#"["1m"]"#),
    (
        "spec.observability.metrics.prometheusRule.runbookBaseURL",
        r#"["https://docs.example.com/runbooks"]"#,
    ),
    ("spec.networking.ingress.hosts[].paths[].path", r#"["/a", "/b"]"#),
    ("spec.networking.ingress.hosts[].paths[].port", "[80, 18789]"),
    ("spec.networking.metricsIngress.allowedCIDRs", r#"[["10.0.0.0/8"]]"#),
    ("spec.image.version", r#"["2026.7.1", "2026.9.6"]"#),
    (
        "spec.runtimeDeps.uvImage.digest",
        r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#,
    ),
    (
        "spec.initContainers",
        r#"[[{"name": "x", "image": "x:1"}], [{"name": "x", "image": "x:2"}]]"#,
    ),
    (
        "spec.sidecarVolumes",
        r#"[[{"name": "x", "emptyDir": {}}], [{"name": "x", "emptyDir": {"sizeLimit": "1Gi"}}]]"#,
    ),
    ("spec.sidecars", r#"[[{"name": "x", "image": "x:1"}], [{"name": "x", "image": "x:2"}]]"#),
    (
        "spec.webTerminal.image.digest",
        r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#,
    ),
    (
        "spec.tailscale.image.digest",
        r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#,
    ),
    (
        "spec.ollama.image.digest",
        r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#,
    ),
    (
        "spec.netbird.image.digest",
        r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#,
    ),
    ("spec.netbird.managementURL", r#"["https://netbird.example.com"]"#),
    ("spec.ollama.gpu", "[1, 2]"),
    ("spec.ollama.models", r#"[["a"], ["a:1"]]"#),
    ("spec.gateway.controlUiOrigins", r#"[["https://claw.example.com"]]"#),
    ("spec.probes.diskReadiness.path", r#"["/tmp"]"#),
    ("spec.plugins", r#"[["x"], ["npm:x"]]"#),
    ("spec.replicas", "[0, 1]"),
    ("spec.skills", r#"[["npm:x"], ["npm:x@1.0.0"]]"#),
    ("spec.skillsInstall.timeoutSeconds", "[30, 60]"),
    ("spec.workspace.additionalWorkspaces[].skills", r#"[["npm:x"]]"#),
    ("spec.storage.persistence.accessModes", r#"[["ReadWriteOncePod"]]"#),
    ("spec.security.networkPolicy.additionalEgress[].ports[].endPort", "[20]"),
    ("spec.security.networkPolicy.additionalEgress[].ports[].port", r#"[10, "https"]"#),
    ("spec.security.networkPolicy.additionalEgress[].ports[].protocol", r#"["UDP", "SCTP"]"#),
    (
        "spec.security.networkPolicy.additionalEgress[].to[].ipBlock.cidr",
        r#"["10.0.0.0/8", "::/0"]"#,
    ),
    ("spec.security.networkPolicy.additionalEgress[].to[].ipBlock.except", r#"[["10.1.0.0/16"]]"#),
    ("spec.security.networkPolicy.allowedEgressCIDRs", r#"[["10.0.0.0/8"]]"#),
    ("spec.security.networkPolicy.allowedIngressCIDRs", r#"[["10.0.0.0/8"]]"#),
    ("spec.selfConfigure.allowedActions", r#"[["skills"]]"#),
    ("spec.workspace.initialFiles", r#"[{"SOUL.md": "You are Ada."}]"#),
    ("spec.workspace.additionalWorkspaces[].name", r#"["sample", "another"]"#),
    ("spec.workspace.additionalWorkspaces[].initialFiles", r#"[{"SOUL.md": "You are Ada."}]"#),
    ("spec.workspace.managedFiles[].path", r#"["a.md", "b.md"]"#),
    ("spec.workspace.additionalWorkspaces[].managedFiles[].path", r#"["a.md", "b.md"]"#),
];

/// What must be set for a field to matter: prefix of its path, and the spec below it.
pub(crate) const CONTEXT: &[(&str, &str)] = &[
    (
        "spec.backup",
        r#"{"backup": {"schedule": "0 3 * * *", "storage": {"secretRef": {"name": "first"}}}}"#,
    ),
    (
        "spec.chromium.extraEnv[].valueFrom.configMapKeyRef",
        r#"{"chromium": {"enabled": true, "extraEnv": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "sample", "key": "one"}}}]}}"#,
    ),
    (
        "spec.chromium.extraEnv[].valueFrom.secretKeyRef",
        r#"{"chromium": {"enabled": true, "extraEnv": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "sample", "key": "one"}}}]}}"#,
    ),
    (
        "spec.chromium.persistence",
        r#"{"chromium": {"enabled": true, "persistence": {"enabled": true}}}"#,
    ),
    ("spec.availability.autoScaling", r#"{"availability": {"autoScaling": {"enabled": true}}}"#),
    (
        "spec.networking.httpRoute",
        r#"{"networking": {"service": {"ports": [{"name": "gateway", "port": 18789}, {"name": "a", "port": 901}, {"name": "b", "port": 902}]}, "httpRoute": {"enabled": true, "parentRefs": [{"name": "sample"}]}}}"#,
    ),
    ("spec.chromium", r#"{"chromium": {"enabled": true}}"#),
    (
        "spec.tailscale.authKeySecret",
        r#"{"tailscale": {"enabled": true, "authKeySecretRef": {"name": "sample"}}}"#,
    ),
    (
        "spec.netbird.setupKeySecret",
        r#"{"netbird": {"enabled": true, "setupKeySecretRef": {"name": "sample"}}}"#,
    ),
    ("spec.netbird", r#"{"netbird": {"enabled": true}}"#),
    ("spec.ollama", r#"{"ollama": {"enabled": true}}"#),
    ("spec.webTerminal", r#"{"webTerminal": {"enabled": true}}"#),
    ("spec.tailscale", r#"{"tailscale": {"enabled": true}}"#),
    (
        "spec.config.configMapRef",
        r#"{"config": {"configMapRef": {"name": "sample", "key": "one"}}}"#,
    ),
    ("spec.config.forcePaths", r#"{"config": {"mergeMode": "merge"}}"#),
    ("spec.config.format", r#"{"config": {"configMapRef": {"name": "sample", "key": "loose"}}}"#),
    (
        "spec.env[].valueFrom.configMapKeyRef",
        r#"{"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "sample", "key": "one"}}}]}"#,
    ),
    (
        "spec.env[].valueFrom.secretKeyRef",
        r#"{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "sample", "key": "one"}}}]}"#,
    ),
    ("spec.envFrom[].configMapRef", r#"{"envFrom": [{"configMapRef": {"name": "sample"}}]}"#),
    ("spec.envFrom[].secretRef", r#"{"envFrom": [{"secretRef": {"name": "sample"}}]}"#),
    ("spec.extraVolumeMounts", r#"{"extraVolumes": [{"name": "x", "emptyDir": {}}]}"#),
    ("spec.extraVolumes", r#"{"extraVolumeMounts": [{"name": "x", "mountPath": "/x"}]}"#),
    ("spec.sidecarVolumes", r#"{"extraVolumeMounts": [{"name": "x", "mountPath": "/x"}]}"#),
    ("spec.envFrom[].prefix", r#"{"envFrom": [{"configMapRef": {"name": "sample"}}]}"#),
    ("spec.image.version", r#"{"image": {"tag": "latest"}}"#),
    ("spec.runtimeDeps.resources", r#"{"runtimeDeps": {"python": true}}"#),
    ("spec.skillsInstall", r#"{"plugins": ["x"]}"#),
    ("spec.runtimeDeps.uvImage", r#"{"runtimeDeps": {"python": true}}"#),
    (
        "spec.networking.ingress.hosts[].paths[].port",
        r#"{"networking": {"service": {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 18789}]}, "ingress": {"enabled": true, "hosts": [{"host": ""}]}}}"#,
    ),
    (
        "spec.networking.ingress.security.basicAuth",
        r#"{"networking": {"ingress": {"enabled": true, "className": "nginx", "hosts": [{"host": ""}], "security": {"basicAuth": {"enabled": true}}}}}"#,
    ),
    (
        "spec.networking.ingress",
        r#"{"networking": {"ingress": {"enabled": true, "className": "nginx", "hosts": [{"host": ""}]}}}"#,
    ),
    (
        "spec.networking.service.ports",
        r#"{"networking": {"service": {"type": "NodePort", "ports": [{"name": "a", "port": 80}]}}}"#,
    ),
    (
        "spec.networking.metricsIngress.allowed",
        r#"{"image": {"tag": "2026.4.24"}, "observability": {"metrics": {"enabled": true}}, "networking": {"metricsIngress": {"from": "AllowedPeers"}}}"#,
    ),
    (
        "spec.networking.metricsIngress",
        r#"{"image": {"tag": "2026.4.24"}, "observability": {"metrics": {"enabled": true}}}"#,
    ),
    (
        "spec.observability.metrics.serviceMonitor",
        r#"{"image": {"tag": "2026.4.24"}, "observability": {"metrics": {"serviceMonitor": {"enabled": true}}}}"#,
    ),
    (
        "spec.observability.metrics.grafanaDashboard",
        r#"{"observability": {"metrics": {"grafanaDashboard": {"enabled": true}}}}"#,
    ),
    (
        "spec.observability.metrics.prometheusRule",
        r#"{"observability": {"metrics": {"prometheusRule": {"enabled": true}}}}"#,
    ),
    (
        "spec.observability.metrics",
        r#"{"image": {"tag": "2026.4.24"}, "observability": {"metrics": {"enabled": true}}}"#,
    ),
    ("spec.probes.diskReadiness", r#"{"probes": {"diskReadiness": {"enabled": true}}}"#),
    ("spec.security.caBundle.configMapName", r#"{"security": {"caBundle": {"key": "one"}}}"#),
    ("spec.security.caBundle.key", r#"{"security": {"caBundle": {"configMapName": "sample"}}}"#),
    (
        "spec.security.networkPolicy.additionalEgress[].ports[].endPort",
        r#"{"security": {"networkPolicy": {"additionalEgress": [{"ports": [{"port": 10}]}]}}}"#,
    ),
    (
        "spec.security.networkPolicy.additionalEgress[].to[].ipBlock.except",
        r#"{"security": {"networkPolicy": {"additionalEgress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}}}"#,
    ),
    (
        "spec.security.rbac.serviceAccountName",
        r#"{"security": {"rbac": {"createServiceAccount": false, "serviceAccountName": "first"}}}"#,
    ),
    (
        "spec.security.rbac.createServiceAccount",
        r#"{"security": {"rbac": {"serviceAccountName": "first"}}}"#,
    ),
    (
        "spec.workspace.additionalWorkspaces[].fileUpdatePolicy",
        r#"{"workspace": {"additionalWorkspaces": [{"name": "w", "initialFiles": {"a.md": ""}}]}}"#,
    ),
    (
        "spec.workspace.additionalWorkspaces[].managedFiles[].path",
        r#"{"workspace": {"additionalWorkspaces": [{"name": "w", "initialFiles": {"a.md": ""}}]}}"#,
    ),
    (
        "spec.workspace.additionalWorkspaces[].managedFiles[].updatePolicy",
        r#"{"workspace": {"additionalWorkspaces": [{"name": "w", "initialFiles": {"a.md": ""}, "managedFiles": [{"path": "a.md"}]}]}}"#,
    ),
    ("spec.selfConfigure.allowedActions", r#"{"selfConfigure": {"enabled": true}}"#),
    ("spec.workspace.fileUpdatePolicy", r#"{"workspace": {"initialFiles": {"a.md": ""}}}"#),
    ("spec.workspace.managedFiles[].path", r#"{"workspace": {"initialFiles": {"a.md": ""}}}"#),
    (
        "spec.workspace.managedFiles[].updatePolicy",
        r#"{"workspace": {"initialFiles": {"a.md": ""}, "managedFiles": [{"path": "a.md"}]}}"#,
    ),
];

/// Kubernetes types that are rendered as they are written.
pub(crate) const AS_WRITTEN: &[&str] = &[
    "spec.availability.affinity",
    "spec.availability.tolerations",
    "spec.availability.topologySpreadConstraints",
    "spec.chromium.extraEnv[].valueFrom.fieldRef",
    "spec.chromium.extraEnv[].valueFrom.resourceFieldRef",
    "spec.env[].valueFrom.fieldRef",
    "spec.env[].valueFrom.resourceFieldRef",
    "spec.extraVolumeMounts",
    "spec.extraVolumes",
    "spec.initContainers",
    "spec.networking.metricsIngress.podSelector",
    "spec.security.networkPolicy.additionalEgress[].to[].namespaceSelector",
    "spec.security.networkPolicy.additionalEgress[].to[].podSelector",
    "spec.sidecarVolumes",
    "spec.sidecars",
];
