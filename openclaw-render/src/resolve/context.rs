//! [`Resolving`]: what every step of `resolve` is given, to ask the world and to say what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::ConditionType;
use crate::object::{Kind, ObjectKey};
use crate::observed::{Claim, Fact, Observed};
use crate::problem::{Problem, Rule, Severity};
use crate::settings::Settings;
use crate::vocab::grammar::is_subdomain;

/// What is kept of a Secret or ConfigMap: hashes or texts, by key.
type Keys = BTreeMap<String, String>;

/// One call of `resolve`: what it knows, what it has looked up, what it has found wrong.
pub(super) struct Resolving<'a> {
    pub(super) observed: &'a Observed,
    pub(super) settings: &'a Settings,
    /// The instance's.
    pub(super) namespace: &'a str,
    /// The instance's.
    uid: Option<&'a str>,
    /// Which condition tells of what is found now.
    about: ConditionType,
    problems: Vec<Problem>,
    references: BTreeSet<ObjectKey>,
}

/// A name that the spec gives, and what follows if nothing of that name is there.
#[derive(Clone, Copy)]
pub(super) struct Reference<'a> {
    /// Where the spec gives it.
    pub(super) path: &'a str,
    /// The name.
    pub(super) name: &'a str,
    /// How grave it is that nothing is there; `None` if that is allowed.
    pub(super) missing: Option<Severity>,
    /// What is rendered as long as nobody has looked.
    pub(super) unseen: &'a str,
}

impl<'a> Resolving<'a> {
    pub(super) fn new(
        observed: &'a Observed,
        settings: &'a Settings,
        namespace: &'a str,
        uid: Option<&'a str>,
    ) -> Self {
        Self {
            observed,
            settings,
            namespace,
            uid,
            about: ConditionType::Ready,
            problems: Vec::new(),
            references: BTreeSet::new(),
        }
    }

    /// Returns the uid of the instance, if it has one.
    pub(super) fn uid(&self) -> Option<&'a str> {
        self.uid
    }

    /// Takes a step, whose findings a condition tells of.
    pub(super) fn about<T>(
        &mut self,
        about: ConditionType,
        step: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = std::mem::replace(&mut self.about, about);
        let taken = step(self);
        self.about = before;
        taken
    }

    /// Returns the problems, in the order in which they were found, and what was referred to.
    pub(super) fn finish(self) -> (Vec<Problem>, BTreeSet<ObjectKey>) {
        (self.problems, self.references)
    }

    /// Returns how many errors were found so far.
    pub(super) fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// Returns how many problems were found so far.
    pub(super) fn found(&self) -> usize {
        self.problems.len()
    }

    /// Returns whether something was found missing since that many problems were found.
    pub(super) fn has_missed_since(&self, found: usize) -> bool {
        self.problems.iter().skip(found).any(|problem| problem.rule == Rule::Missing)
    }

    /// Says that the spec breaks a rule of the API.
    pub(super) fn error(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.push(Problem::error(path, Rule::Invalid, message));
    }

    /// Says that the application is sure to exit with such a configuration.
    pub(super) fn will_not_start(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.push(Problem::will_not_start(path, message));
    }

    /// Says that a field has no effect, or another one than it seems to have.
    pub(super) fn ineffective(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.push(Problem::advice(path, Rule::Ineffective, message));
    }

    /// Says that a setting weakens the agent's isolation or reproducibility.
    pub(super) fn risk(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.push(Problem::advice(path, Rule::Risk, message));
    }

    /// Says that something does not exist to which the spec refers.
    pub(super) fn missing(
        &mut self,
        path: impl Into<String>,
        severity: Severity,
        message: impl Into<String>,
    ) {
        let problem = Problem::error(path, Rule::Missing, message);
        self.push(Problem { severity, ..problem });
    }

    /// Says that something to which the spec refers lacks the key that it names.
    pub(super) fn missing_key(
        &mut self,
        path: impl Into<String>,
        severity: Severity,
        message: impl Into<String>,
    ) {
        let problem = Problem::error(path, Rule::MissingKey, message);
        self.push(Problem { severity, ..problem });
    }

    /// Says that this version does not render a field.
    pub(super) fn unsupported(&mut self, path: impl Into<String>) {
        self.push(Problem::advice(
            path,
            Rule::Unsupported,
            "is not rendered by this version: the operator leaves the instance untouched while it \
             is set",
        ));
    }

    /// Says anything else.
    pub(super) fn push(&mut self, problem: Problem) {
        self.problems.push(problem.about(self.about));
    }

    /// Returns the hashes of a Secret's values, by key.
    pub(super) fn secret(&mut self, reference: Reference<'_>) -> Option<&'a Keys> {
        let observed = self.observed;
        self.look_up(Kind::Secret, &observed.secrets, reference)
    }

    /// Returns the texts of a ConfigMap, by key.
    pub(super) fn config_map(&mut self, reference: Reference<'_>) -> Option<&'a Keys> {
        let observed = self.observed;
        self.look_up(Kind::ConfigMap, &observed.config_maps, reference)
    }

    /// Returns a claim of the user's.
    pub(super) fn claim(&mut self, reference: Reference<'_>) -> Option<&'a Claim> {
        let observed = self.observed;
        self.look_up(Kind::PersistentVolumeClaim, &observed.claims, reference)
    }

    /// Returns a claim if it has been seen. Its absence is not a problem.
    pub(super) fn claim_if_seen(&self, name: &str) -> Option<&'a Claim> {
        self.observed.claims.get(name).and_then(Fact::known)
    }

    /// Returns a Secret if it has been seen. Its absence is not a problem.
    pub(super) fn secret_if_seen(&self, name: &str) -> Option<&'a Keys> {
        self.observed.secrets.get(name).and_then(Fact::known)
    }

    /// Whether somebody else has made an object under a name of ours.
    pub(super) fn is_lent(&self, kind: Kind, name: &str) -> bool {
        let seen = self.observed.objects.get(&ObjectKey::new(kind, name)).and_then(Fact::known);
        seen.is_some_and(|seen| seen.is_lent(self.uid))
    }

    /// Remembers that what the pod is like may depend on an object. Nothing is ever asked about a name
    /// that none can have.
    pub(super) fn refer(&mut self, kind: Kind, name: &str) {
        if is_subdomain(name) {
            self.references.insert(ObjectKey::new(kind, name));
        }
    }

    /// Says that what a reference leads to is there, but without the key.
    pub(super) fn lacks_key(&mut self, kind: Kind, reference: Reference<'_>, key: &str) {
        let Reference { path, name, missing, .. } = reference;
        if let Some(severity) = missing {
            let data = if kind == Kind::ConfigMap { " in `data`" } else { "" };
            let message = format!("{} {name:?} has no key {key:?}{data}", noun(kind));
            self.missing_key(path, severity, message);
        }
    }

    /// Says that nothing has such a name, unless that was said.
    fn cannot_be_there(
        &mut self,
        kind: Kind,
        Reference { path, name, missing, .. }: Reference<'_>,
    ) {
        let is_said = |problem: &Problem| {
            problem.severity == Severity::Error && problem.path.starts_with(path)
        };
        if let Some(severity) = missing
            && !self.problems.iter().any(is_said)
        {
            let message = format!("{name:?} cannot be the name of a {}", noun(kind));
            self.missing(path, severity, message);
        }
    }

    fn look_up<T>(
        &mut self,
        kind: Kind,
        seen: &'a BTreeMap<String, Fact<T>>,
        reference: Reference<'_>,
    ) -> Option<&'a T> {
        let Reference { path, name, missing, unseen } = reference;
        if !is_subdomain(name) {
            self.cannot_be_there(kind, reference);
            return None;
        }
        self.refer(kind, name);
        match seen.get(name) {
            Some(Fact::Known(thing)) => return Some(thing),
            Some(Fact::Absent) => {
                if let Some(severity) = missing {
                    let message =
                        format!("{} {name:?} does not exist in this namespace", noun(kind));
                    self.missing(path, severity, message);
                }
            }
            None | Some(Fact::Unknown)
                if self.observed.promised.contains(&ObjectKey::new(kind, name)) => {}
            None | Some(Fact::Unknown) => {
                let message = format!("{} {name:?} was not seen: {unseen}", noun(kind));
                self.push(Problem::advice(path, Rule::Unknown, message));
            }
        }
        None
    }
}

/// Returns what people call it.
fn noun(kind: Kind) -> &'static str {
    if kind == Kind::PersistentVolumeClaim { "claim" } else { kind.as_str() }
}
