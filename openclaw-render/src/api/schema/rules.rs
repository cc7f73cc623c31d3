//! Rules over several fields, in CEL: what they refuse could never run.
//!
//! Resolving a spec checks the same again, for those who have no API server. Costs are bounded by
//! the lists that a rule walks, so every such list has a bound at its type.

/// One rule of a definition.
pub(super) struct Rule {
    /// The kind.
    pub(super) kind: &'static str,
    /// Where `self` is, as `.spec.field`; empty for the object itself.
    pub(super) path: &'static str,
    /// The CEL expression; false refuses the object.
    pub(super) expression: &'static str,
    /// What the user reads.
    pub(super) message: &'static str,
}

/// Paths of files that the agent could not find again or that the operator owns.
const FILES: &str = "self.all(k, size(k) <= 253 && k != 'openclaw.json' && !k.contains('..') \
    && k.matches(r'^[^./\\\\][^/\\\\]*(/[^./\\\\][^/\\\\]*)*$'))";
const FILES_MESSAGE: &str = "a file is named by a relative path of at most 253 characters, without \
    a backslash, `..` or a segment that starts with a dot; openclaw.json belongs to spec.config";

/// Directories that would lie outside of the workspace.
const DIRECTORIES: &str =
    r"self.all(d, !d.startsWith('/') && !d.contains('..') && !d.contains('\\'))";
const DIRECTORIES_MESSAGE: &str =
    "a directory is named by a relative path, without a backslash or `..`";

/// All rules.
pub(super) const RULES: &[Rule] = &[
    Rule {
        kind: "OpenClawClusterDefaults",
        path: "",
        expression: "self.metadata.name == 'cluster'",
        message: "only the object named `cluster` counts; give it that name",
    },
    Rule {
        kind: "OpenClawInstance",
        path: "",
        expression: "self.metadata.name.size() <= 52 \
               && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        message: "the name must be at most 52 lower-case letters, digits and hyphens, start with a \
                  letter and end with a letter or digit, because the Service and the StatefulSet \
                  are named by it",
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec",
        expression: "!(has(self.suspended) && self.suspended && has(self.availability) \
               && has(self.availability.autoScaling) \
               && has(self.availability.autoScaling.enabled) \
               && self.availability.autoScaling.enabled)",
        message: "suspended cannot be combined with availability.autoScaling: turn one of them off",
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec.config",
        expression: "!has(self.forcePaths) || size(self.forcePaths) == 0 \
               || (has(self.mergeMode) && self.mergeMode == 'merge')",
        message: "forcePaths needs mergeMode: merge",
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec.workspace.initialFiles",
        expression: FILES,
        message: FILES_MESSAGE,
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec.workspace.additionalWorkspaces[].initialFiles",
        expression: FILES,
        message: FILES_MESSAGE,
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec.workspace.initialDirectories",
        expression: DIRECTORIES,
        message: DIRECTORIES_MESSAGE,
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec.workspace.additionalWorkspaces[].initialDirectories",
        expression: DIRECTORIES,
        message: DIRECTORIES_MESSAGE,
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec.storage.persistence",
        expression: "!has(oldSelf.storageClass) || !has(self.storageClass) \
               || self.storageClass == oldSelf.storageClass",
        message: "storageClass cannot be changed, because the claim's cannot: back up, delete, \
                  create again",
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec.security.rbac",
        expression: "!has(self.createServiceAccount) || self.createServiceAccount \
               || (has(self.serviceAccountName) && self.serviceAccountName != '')",
        message: "with createServiceAccount: false, serviceAccountName must name an account",
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec.security.caBundle",
        expression: "(has(self.configMapName) && self.configMapName != '') \
               != (has(self.secretName) && self.secretName != '')",
        message: "set exactly one of configMapName and secretName",
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec.networking.service.ports",
        expression: "self.all(a, self.exists_one(b, b.port == a.port \
               && (has(b.protocol) ? b.protocol : 'TCP') == (has(a.protocol) ? a.protocol : 'TCP')))",
        message: "two ports must differ in number or protocol",
    },
    Rule {
        kind: "OpenClawInstance",
        path: ".spec.availability.autoScaling",
        expression: "!has(self.minReplicas) || !has(self.maxReplicas) \
               || self.minReplicas <= self.maxReplicas",
        message: "minReplicas must not be above maxReplicas",
    },
];
