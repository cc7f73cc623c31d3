//! What is wrong with a spec: every finding has a field path, a severity and a remedy.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::ConditionType;

/// How much a [`Problem`] matters, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// No object can be made: `render` and `check` exit 1, the controller writes nothing.
    Error,
    /// The application is sure to exit: `render` prints it, `check` exits 1, the controller holds
    /// what the running pod depends on.
    WillNotStart,
    /// Everything works, but something deserves attention.
    Advice,
}

/// Which rule speaks, for those who react to single rules; the text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rule {
    /// The spec breaks a rule of the API.
    Invalid,
    /// Something that the spec refers to does not exist.
    Missing,
    /// Something that the spec refers to does not have the key that the spec names.
    MissingKey,
    /// Something that the spec refers to could not be looked at: unknown is not absent.
    Unknown,
    /// A field that the API does not have.
    UnknownField,
    /// openclaw.json is one that the application refuses.
    Config,
    /// A field is set that this version of the operator does not render.
    Unsupported,
    /// The field has no effect, or another effect than it seems to have.
    Ineffective,
    /// The setting weakens the agent's isolation or reproducibility.
    Risk,
}

/// One finding about a spec.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Where, as a path that `kubectl explain` understands, with list positions: `spec.env[0].name`.
    pub path: String,
    /// How much it matters.
    pub severity: Severity,
    /// Which kind of rule found it.
    pub rule: Rule,
    /// What is wrong and what to do about it; one sentence or two, no line breaks.
    pub message: String,
    /// Which condition tells of it. [`Ready`](ConditionType::Ready) tells of every one.
    #[serde(default)]
    pub about: ConditionType,
}

impl Problem {
    fn new(
        path: impl Into<String>,
        severity: Severity,
        rule: Rule,
        message: impl Into<String>,
    ) -> Self {
        let about = ConditionType::Ready;
        Self { path: path.into(), severity, rule, message: message.into(), about }
    }

    /// A finding that stops rendering.
    #[must_use]
    pub fn error(path: impl Into<String>, rule: Rule, message: impl Into<String>) -> Self {
        Self::new(path, Severity::Error, rule, message)
    }

    /// A finding that stops the application, not the rendering.
    #[must_use]
    pub fn will_not_start(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(path, Severity::WillNotStart, Rule::Config, message)
    }

    /// A finding that stops nothing.
    #[must_use]
    pub fn advice(path: impl Into<String>, rule: Rule, message: impl Into<String>) -> Self {
        Self::new(path, Severity::Advice, rule, message)
    }

    /// The same finding, of which a condition of its own tells too.
    #[must_use]
    pub fn about(self, about: ConditionType) -> Self {
        Self { about, ..self }
    }
}

/// Sorts problems by severity and path, each once.
pub(crate) fn sort(problems: &mut Vec<Problem>) {
    problems.sort_by(|left, right| {
        let order = (left.severity, &left.path, &left.message);
        order.cmp(&(right.severity, &right.path, &right.message))
    });
    problems.dedup();
}

/// Returns a text of a stranger's as one line that does nothing to a terminal or a log: control
/// characters, and those that change the direction of writing, are written as escapes.
#[must_use]
pub fn printable(text: &str) -> String {
    let is_harmful = |it: char| {
        it.is_control()
            || matches!(it, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let mut printed = String::with_capacity(text.len());
    for each in text.chars() {
        if is_harmful(each) {
            printed.extend(each.escape_default());
        } else {
            printed.push(each);
        }
    }
    printed
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, severity, message, .. } = self;
        let (path, message) = (printable(path), printable(message));
        match severity {
            Severity::Error => write!(f, "{path}: {message}"),
            Severity::WillNotStart => write!(f, "{path}: will not start: {message}"),
            Severity::Advice => write!(f, "{path}: advice: {message}"),
        }
    }
}
