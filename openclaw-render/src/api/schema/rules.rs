//! CEL rules: what one field alone cannot say.
//!
//! The same rules hold when a spec is resolved. Here are those of which a violation never made a
//! working pod, so that the API server refuses them at once.
//!
//! An object that is there already must stay one that can be patched and deleted, whatever rule
//! came after it. What is unchanged in a spec the API server lets pass (CRD validation ratcheting,
//! on since Kubernetes 1.30); the root changes with every finalizer, so its rules hold for new
//! objects alone. An expression that cannot be evaluated is not let pass, so each asks `has` even
//! for a field that is required today.

use serde_json::{Map, Value, json};

/// A rule that the API server evaluates.
pub(super) struct Rule {
    /// Where `self` is.
    pub(super) paths: &'static [&'static str],
    /// True if all is well.
    expression: &'static str,
    /// What is wrong, and what to do.
    message: &'static str,
    /// The field below `self` that is to blame.
    field: Option<&'static str>,
    /// Whom it is about.
    about: About,
}

/// Which objects a rule is about.
#[derive(Clone, Copy)]
enum About {
    /// Every one whose part below `self` is new or changes.
    All,
    /// Those that are created.
    New,
}

impl Rule {
    /// Appends the rule to those of a field.
    pub(super) fn add_to(&self, field: &mut Map<String, Value>) {
        let mut rule = json!({
            "rule": self.expression,
            "message": self.message,
            "reason": "FieldValueInvalid",
        });
        if let (Some(path), Value::Object(rule)) = (self.field, &mut rule) {
            rule.insert("fieldPath".to_owned(), json!(path));
        }
        if let (About::New, Value::Object(rule)) = (self.about, &mut rule) {
            let expression = format!("oldSelf.hasValue() || ({})", self.expression);
            rule.insert("rule".to_owned(), json!(expression));
            rule.insert("optionalOldSelf".to_owned(), json!(true));
        }
        let rules = field.entry("x-kubernetes-validations").or_insert_with(|| json!([]));
        if let Value::Array(rules) = rules {
            rules.push(rule);
        }
    }
}

/// Rules of an instance.
pub(super) const INSTANCE: &[Rule] = &[
    Rule {
        paths: &[""],
        expression: "self.metadata.name.size() <= 52 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        message: "metadata.name must begin with a lower-case letter, go on with lower-case letters, digits and '-', end with a letter or digit, and be at most 52 characters long",
        field: None,
        about: About::New,
    },
    Rule {
        paths: &["spec"],
        expression: "!(has(self.suspended) && self.suspended && has(self.availability) && has(self.availability.autoScaling) && has(self.availability.autoScaling.enabled) && self.availability.autoScaling.enabled)",
        message: "suspended excludes availability.autoScaling: turn one of the two off",
        field: Some(".suspended"),
        about: About::All,
    },
    Rule {
        paths: &["spec"],
        expression: "!(has(self.tailscale) && has(self.tailscale.enabled) && self.tailscale.enabled && has(self.netbird) && has(self.netbird.enabled) && self.netbird.enabled)",
        message: "netbird excludes tailscale: turn one of the two off",
        field: Some(".netbird.enabled"),
        about: About::All,
    },
    Rule {
        paths: &["spec.availability.autoScaling"],
        expression: "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
        message: "minReplicas must not be larger than maxReplicas",
        field: Some(".minReplicas"),
        about: About::All,
    },
    Rule {
        paths: &["spec.config"],
        expression: "!has(self.forcePaths) || size(self.forcePaths) == 0 || (has(self.mergeMode) && self.mergeMode == 'merge')",
        message: "forcePaths needs mergeMode: merge; overwrite mode forces every path",
        field: Some(".forcePaths"),
        about: About::All,
    },
    Rule {
        paths: &["spec.networking.service.ports"],
        expression: "self.all(a, !has(a.port) || self.exists_one(b, has(b.port) && b.port == a.port && (has(b.protocol) ? b.protocol : 'TCP') == (has(a.protocol) ? a.protocol : 'TCP')))",
        message: "two ports must differ in number or protocol",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &["spec.security.caBundle"],
        expression: "(has(self.configMapName) && self.configMapName != '') != (has(self.secretName) && self.secretName != '')",
        message: "set exactly one of configMapName and secretName",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &[
            "spec.networking.metricsIngress.allowedCIDRs[]",
            "spec.security.networkPolicy.allowedEgressCIDRs[]",
            "spec.security.networkPolicy.allowedIngressCIDRs[]",
        ],
        expression: "isCIDR(self)",
        message: "must be a network, for example 10.0.0.0/8 or fd00::/8",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &["spec.security.rbac"],
        expression: "!has(self.createServiceAccount) || self.createServiceAccount || (has(self.serviceAccountName) && self.serviceAccountName != '')",
        message: "serviceAccountName is required when createServiceAccount is false: name the account that the pod should run as",
        field: Some(".serviceAccountName"),
        about: About::All,
    },
    Rule {
        paths: &["spec.storage.persistence"],
        expression: "!has(oldSelf.storageClass) || !has(self.storageClass) || self.storageClass == oldSelf.storageClass",
        message: "storageClass cannot be changed: the claim that was made for the agent's state keeps its class",
        field: Some(".storageClass"),
        about: About::All,
    },
    Rule {
        paths: &[
            "spec.workspace.additionalWorkspaces[].initialDirectories[]",
            "spec.workspace.initialDirectories[]",
        ],
        expression: r"self.matches(r'^[^/\\\p{Cc}]+(/[^/\\\p{Cc}]+)*/*$') && !self.contains('..') && !self.matches(r'(^|/)\.(/|$)')",
        message: "must be a path below the workspace, without '..', '.', backslashes and empty segments",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &[
            "spec.workspace.additionalWorkspaces[].initialFiles",
            "spec.workspace.initialFiles",
        ],
        expression: r"self.all(path, size(path) <= 253 && path.matches(r'^[^./\\\p{Cc}][^/\\\p{Cc}]*(/[^./\\\p{Cc}][^/\\\p{Cc}]*)*$') && !path.contains('..') && path != 'openclaw.json')",
        message: "names of files must be paths below the workspace of at most 253 characters, without '..', backslashes and segments that are empty or begin with a dot; openclaw.json belongs to the operator",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &["spec.env[]", "spec.chromium.extraEnv[]"],
        expression: "!(has(self.value) && self.value != '' && has(self.valueFrom))",
        message: "value and valueFrom exclude each other: remove one of the two",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &[
            "spec.env[].valueFrom.configMapKeyRef",
            "spec.env[].valueFrom.secretKeyRef",
            "spec.chromium.extraEnv[].valueFrom.configMapKeyRef",
            "spec.chromium.extraEnv[].valueFrom.secretKeyRef",
        ],
        expression: "has(self.name) && self.name != '' && has(self.key) && self.key != ''",
        message: "must name an object and a key of it: fill in both or remove the entry",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &["spec.envFrom[]"],
        expression: "has(self.configMapRef) != has(self.secretRef)",
        message: "set exactly one of configMapRef and secretRef",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &[
            "spec.envFrom[].configMapRef",
            "spec.envFrom[].secretRef",
            "spec.image.pullSecrets[]",
        ],
        expression: "has(self.name) && self.name != ''",
        message: "must name an object: fill it in or remove the entry",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &[
            "spec.networking.ingress.annotations",
            "spec.networking.service.annotations",
            "spec.podAnnotations",
            "spec.security.rbac.serviceAccountAnnotations",
        ],
        expression: "self.all(key, size(key) <= 317 && key.matches('^([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",
        message: "keys of annotations must be written name or domain/name, the name with at most 63 letters, digits, '-', '_' and '.'",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &[
            "spec.availability.nodeSelector",
            "spec.observability.metrics.grafanaDashboard.labels",
            "spec.observability.metrics.prometheusRule.labels",
            "spec.observability.metrics.serviceMonitor.labels",
        ],
        expression: "self.all(key, size(key) <= 317 && key.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'))",
        message: "labels must be written name or domain/name, and have at most 63 letters, digits, '-', '_' and '.' in the name and in the value",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &["spec.probes.diskReadiness"],
        expression: "!has(self.minFree) || !isQuantity(string(self.minFree)) || quantity(string(self.minFree)).compareTo(quantity('1E')) <= 0",
        message: "minFree must be no more than 1E, which is more than a volume has",
        field: Some(".minFree"),
        about: About::All,
    },
    Rule {
        paths: &["spec.chromium.persistence", "spec.storage.persistence"],
        expression: "!has(self.size) || !isQuantity(string(self.size)) || quantity(string(self.size)).compareTo(quantity('0')) > 0",
        message: "size must be more than zero",
        field: Some(".size"),
        about: About::All,
    },
    Rule {
        paths: &[
            "spec.chromium.resources",
            "spec.config.sync.resources",
            "spec.gateway.resources",
            "spec.netbird.resources",
            "spec.observability.metrics.collector.resources",
            "spec.ollama.resources",
            "spec.resources",
            "spec.runtimeDeps.resources",
            "spec.skillsInstall.resources",
            "spec.tailscale.resources",
            "spec.webTerminal.resources",
        ],
        expression: "!has(self.requests) || !has(self.limits) || (!has(self.requests.cpu) || !has(self.limits.cpu) || !isQuantity(string(self.requests.cpu)) || !isQuantity(string(self.limits.cpu)) || quantity(string(self.requests.cpu)).compareTo(quantity(string(self.limits.cpu))) <= 0) && (!has(self.requests.memory) || !has(self.limits.memory) || !isQuantity(string(self.requests.memory)) || !isQuantity(string(self.limits.memory)) || quantity(string(self.requests.memory)).compareTo(quantity(string(self.limits.memory))) <= 0)",
        message: "requests must not be more than limits",
        field: Some(".requests"),
        about: About::All,
    },
    Rule {
        paths: &[
            "spec.chromium.image",
            "spec.gateway.image",
            "spec.image",
            "spec.netbird.image",
            "spec.observability.metrics.collector.image",
            "spec.ollama.image",
            "spec.runtimeDeps.uvImage",
            "spec.tailscale.image",
            "spec.webTerminal.image",
        ],
        expression: "!has(self.tag) || !self.tag.contains('@') || !has(self.digest) || self.digest == '' || self.tag.endsWith('@' + self.digest)",
        message: "the tag's digest and digest must be the same: write one of the two",
        field: Some(".tag"),
        about: About::All,
    },
    Rule {
        paths: &["spec.observability.metrics.serviceMonitor.interval"],
        expression: "self == '' || self.matches('[1-9]')",
        message: "is no time at all: write for example 30s",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &["spec.security.networkPolicy.additionalEgress[].to[]"],
        expression: "has(self.ipBlock) != (has(self.podSelector) || has(self.namespaceSelector))",
        message: "a peer has either ipBlock, or podSelector and namespaceSelector or one of the two",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &["spec.security.networkPolicy.additionalEgress[].to[].ipBlock"],
        expression: "has(self.cidr) && isCIDR(self.cidr) && (!has(self.except) || self.except.all(part, isCIDR(part) && cidr(self.cidr).containsCIDR(cidr(part)) && cidr(self.cidr).prefixLength() < cidr(part).prefixLength()))",
        message: "cidr must be a network, for example 10.0.0.0/8 or fd00::/8, and each of except a smaller one within it",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &["spec.security.networkPolicy.additionalEgress[].ports[]"],
        expression: "(!has(self.protocol) || self.protocol in ['SCTP', 'TCP', 'UDP']) && (!has(self.port) || (type(self.port) == int ? int(self.port) >= 1 && int(self.port) <= 65535 : string(self.port).matches('^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$') && string(self.port).matches('[a-z]') && !string(self.port).contains('--'))) && (!has(self.endPort) || has(self.port) && type(self.port) == int && self.endPort >= int(self.port) && self.endPort <= 65535)",
        message: "port must be a number from 1 to 65535 or the name of a port, endPort the end of a range that begins with a number, and protocol TCP, UDP or SCTP",
        field: None,
        about: About::All,
    },
];

/// Rules of requests.
pub(super) const SELF_CONFIG: &[Rule] = &[
    Rule {
        paths: &["spec"],
        expression: "self == oldSelf",
        message: "a request is made once and cannot be changed: make another one",
        field: None,
        about: About::All,
    },
    Rule {
        paths: &["spec"],
        expression: "has(self.addSkills) || has(self.removeSkills) || has(self.configPatch) || has(self.addWorkspaceFiles) || has(self.removeWorkspaceFiles) || has(self.addEnvVars) || has(self.removeEnvVars)",
        message: "asks for nothing: add or remove skills, workspace files or environment variables, or patch the configuration",
        field: None,
        about: About::All,
    },
];

/// Rules of cluster defaults.
pub(super) const CLUSTER_DEFAULTS: &[Rule] = &[Rule {
    paths: &[""],
    expression: "self.metadata.name == 'cluster'",
    message: "only the object named cluster has an effect: call it so",
    field: None,
    about: About::New,
}];
