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
