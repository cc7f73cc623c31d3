//! CEL rules: what one field alone cannot say.
//!
//! The same rules hold when a spec is resolved. Here are those of which a violation never made a
//! working pod, so that the API server refuses them at once.
//!
//! An object that is there already must stay one that can be patched and deleted, whatever rule
//! came after it. What is unchanged in a spec the API server lets pass (CRD validation ratcheting,
//! on since Kubernetes 1.30); the root changes with every finalizer, so its rules hold for new
//! objects alone. An expression that cannot be evaluated is not let pass, so each asks `has` even
//! for a field that is required today. A field whose name CEL reserves, such as `namespace`, is written
//! with underscores around it.

mod instance;

use serde_json::{Map, Value, json};

use super::spellings::DURATION;
use crate::vocab::schedule::short;

pub(super) use instance::INSTANCE;

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
        let mut rule = rule(self.expression, self.message);
        if let (Some(path), Value::Object(rule)) = (self.field, &mut rule) {
            rule.insert("fieldPath".to_owned(), json!(path));
        }
        if let (About::New, Value::Object(rule)) = (self.about, &mut rule) {
            let expression = format!("oldSelf.hasValue() || ({})", self.expression);
            rule.insert("rule".to_owned(), json!(expression));
            rule.insert("optionalOldSelf".to_owned(), json!(true));
        }
        push(field, rule);
    }
}

/// Appends to a field that it is a time of so many seconds.
pub(super) fn add_time(field: &mut Map<String, Value>, least: u32, most: u32) {
    // More digits may be more than Go's own numbers hold, and what cannot be evaluated is not let
    // pass where it is stored.
    let expression = format!(
        "self == '' || !self.matches('[0-9]{{6,}}[hm]|[0-9]{{10,}}') && self.matches(r'{DURATION}') && duration(self) >= duration('{least}s') && duration(self) <= duration('{most}s')",
    );
    let message = format!("must be a time of {} to {}", short(least), short(most));
    push(field, rule(&expression, &message));
}

fn rule(expression: &str, message: &str) -> Value {
    json!({"rule": expression, "message": message, "reason": "FieldValueInvalid"})
}

fn push(field: &mut Map<String, Value>, rule: Value) {
    let rules = field.entry("x-kubernetes-validations").or_insert_with(|| json!([]));
    if let Value::Array(rules) = rules {
        rules.push(rule);
    }
}

/// What an instance, and an agent that stands for one, may be called.
const NAME: Rule = Rule {
    paths: &[""],
    expression: "self.metadata.name.size() <= 52 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    message: "metadata.name must begin with a lower-case letter, go on with lower-case letters, digits and '-', end with a letter or digit, and be at most 52 characters long",
    field: None,
    about: About::New,
};

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

/// Rules of the smaller kind.
pub(super) const AGENT: &[Rule] = &[
    NAME,
    Rule {
        paths: &["spec.autoscaling"],
        expression: "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
        message: "minReplicas must not be larger than maxReplicas",
        field: Some(".minReplicas"),
        about: About::All,
    },
];

#[cfg(test)]
mod tests {
    use super::INSTANCE;
    use crate::vocab::ports::OF_THE_POD;

    #[test]
    fn ports_of_the_pod_are_those_that_the_metrics_cannot_have() {
        let mut ports: Vec<i32> = OF_THE_POD.iter().map(|(port, _)| *port).collect();
        ports.sort_unstable();
        let expression = format!("!(self in {ports:?})");
        assert!(INSTANCE.iter().any(|rule| rule.expression == expression), "{expression}");
    }
}
