//! What a request of an agent would change about its instance, under the instance's own policy.
//!
//! A request is carried out by server-side apply under a manager of its own, item by item: what an
//! earlier request added and this one does not remove is applied again, what somebody else declared
//! is neither claimed nor changed. So a request never undoes another one, and whoever keeps the
//! instance in files can still remove what stands in them.

mod answer;
mod overwrites;

use std::collections::BTreeSet;

pub use answer::{
    Answer, answer_request, changed_by_others, last_writer, request_ended, request_waits,
};
pub use overwrites::Overwrites;

use serde_json::{Map, Value, json};

use crate::api::{OpenClawSelfConfig, SelfConfigAction, SelfConfigSpec, SelfConfigureSpec};
use crate::nesting;
use crate::ownership::owned;
use crate::problem::{Problem, Rule};
use crate::resolve::{check_workspace_file, skill_source};
use crate::vocab::{SELF_CONFIG_MANAGER, env};

/// Keys at the root of openclaw.json that no request may set: who may come in, what else is read
/// into the file, and the two ways past the protection of the environment.
const PROTECTED_KEYS: &[&str] = &["$include", "env", "gateway", "secrets"];

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is carried out by applying this part of the instance as
    /// [`SELF_CONFIG_MANAGER`](crate::vocab::SELF_CONFIG_MANAGER); what was left out is told.
    Apply {
        /// The part of the instance that requests own from now on.
        part: Value,
        /// What the request asks for and nothing is done about.
        left_out: Vec<Problem>,
    },
    /// The instance does not allow it.
    Denied(Vec<Problem>),
    /// It asks for something that cannot be.
    Failed(Vec<Problem>),
}

impl Verdict {
    /// Returns what there is to say, whatever becomes of the request.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Apply { left_out: problems, .. }
            | Self::Denied(problems)
            | Self::Failed(problems) => problems,
        }
    }
}

/// Judges a request, given the instance that it names as the cluster has it, or its manifest.
///
/// Total: what an agent writes is data. Everything that is wrong is told at once.
#[must_use]
pub fn judge_request(request: &OpenClawSelfConfig, live: &Value) -> Verdict {
    let spec = &request.spec;
    let policy = live.pointer("/spec/selfConfigure").cloned().unwrap_or_default();
    let policy: SelfConfigureSpec = serde_json::from_value(policy).unwrap_or_default();
    let denied = denied(spec, &policy);
    if !denied.is_empty() {
        return Verdict::Denied(denied);
    }
    let mut judging = Judging {
        live,
        owned: owned(live, SELF_CONFIG_MANAGER),
        knows_owners: live.pointer("/metadata/managedFields").is_some(),
        wrong: Vec::new(),
        left_out: Vec::new(),
    };
    judging.skills(spec);
    judging.config(spec);
    judging.files(spec);
    judging.variables(spec);
    let Judging { owned: part, wrong, left_out, .. } = judging;
    if wrong.is_empty() { Verdict::Apply { part, left_out } } else { Verdict::Failed(wrong) }
}

/// The parts of a request that the instance does not allow.
fn denied(spec: &SelfConfigSpec, policy: &SelfConfigureSpec) -> Vec<Problem> {
    if policy.enabled != Some(true) {
        let message = "the instance takes no requests: `spec.selfConfigure.enabled` is not true";
        return vec![Problem::error("spec.instanceRef", Rule::Invalid, message)];
    }
    let allowed = policy.allowed_actions.clone().unwrap_or_default();
    let mut denied = Vec::new();
    for (action, path) in asked(spec).into_iter().filter(|(action, _)| !allowed.contains(action)) {
        let message = format!("`{action}` is not in the instance's `allowedActions`");
        denied.push(Problem::error(path, Rule::Invalid, message));
    }
    let sources = policy.allowed_skill_sources.as_deref().unwrap_or_default();
    for (index, skill) in spec.add_skills.iter().flatten().enumerate() {
        let Ok(source) = skill_source(skill) else { continue };
        if !sources.is_empty() && !sources.iter().any(|allowed| is_from(&source, allowed)) {
            let path = format!("spec.addSkills[{index}]");
            let message = format!("comes from {source}, and no `allowedSkillSources` has that");
            denied.push(Problem::error(path, Rule::Invalid, message));
        }
    }
    denied
}

/// What a request asks for, and where.
fn asked(spec: &SelfConfigSpec) -> Vec<(SelfConfigAction, &'static str)> {
    let filled = |list: Option<&Vec<String>>| list.is_some_and(|list| !list.is_empty());
    let all = [
        (SelfConfigAction::Skills, "spec.addSkills", filled(spec.add_skills.as_ref())),
        (SelfConfigAction::Skills, "spec.removeSkills", filled(spec.remove_skills.as_ref())),
        (SelfConfigAction::Config, "spec.configPatch", spec.config_patch.is_some()),
        (
            SelfConfigAction::WorkspaceFiles,
            "spec.addWorkspaceFiles",
            spec.add_workspace_files.as_ref().is_some_and(|files| !files.is_empty()),
        ),
        (
            SelfConfigAction::WorkspaceFiles,
            "spec.removeWorkspaceFiles",
            filled(spec.remove_workspace_files.as_ref()),
        ),
        (
            SelfConfigAction::EnvVars,
            "spec.addEnvVars",
            spec.add_env_vars.as_ref().is_some_and(|variables| !variables.is_empty()),
        ),
        (SelfConfigAction::EnvVars, "spec.removeEnvVars", filled(spec.remove_env_vars.as_ref())),
    ];
    all.into_iter().filter(|it| it.2).map(|(action, path, _)| (action, path)).collect()
}

/// Whether a source is an allowed one, or below it, by whole segments.
fn is_from(source: &str, allowed: &str) -> bool {
    let allowed = allowed.trim_end_matches('/').to_lowercase();
    let rest = source.to_lowercase();
    !allowed.is_empty()
        && rest.strip_prefix(&allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

struct Judging<'a> {
    live: &'a Value,
    /// What requests own, and will own.
    owned: Value,
    /// Whether it is known who declared what; a manifest does not say.
    knows_owners: bool,
    wrong: Vec<Problem>,
    left_out: Vec<Problem>,
}

impl Judging<'_> {
    fn fail(&mut self, path: String, message: impl Into<String>) {
        self.wrong.push(Problem::error(path, Rule::Invalid, message));
    }

    fn leave_out(&mut self, path: String, message: impl Into<String>) {
        self.left_out.push(Problem::advice(path, Rule::Ineffective, message));
    }

    /// Says that something cannot be removed, as far as it is known who declared it.
    fn is_not_its_own(&mut self, path: String) {
        if self.knows_owners {
            self.leave_out(path, "is left as it is: no request added it");
        }
    }

    fn skills(&mut self, spec: &SelfConfigSpec) {
        let there = texts(self.live.pointer("/spec/skills"));
        let mut kept = texts(self.owned.pointer("/spec/skills"));
        let added = spec.add_skills.as_deref().unwrap_or_default();
        let removed = spec.remove_skills.as_deref().unwrap_or_default();
        for (index, skill) in added.iter().enumerate() {
            let path = format!("spec.addSkills[{index}]");
            if removed.contains(skill) {
                self.fail(
                    path,
                    format!("{skill:?} is in `removeSkills`, too: remove one of the two"),
                );
            } else if let Err(form) = skill_source(skill) {
                self.fail(path, format!("{skill:?} cannot be installed: write {form}"));
            } else if there.contains(skill) && !kept.contains(skill) {
                self.leave_out(path, format!("{skill:?} is there already"));
            } else {
                kept.insert(skill.clone());
            }
        }
        for (index, skill) in removed.iter().enumerate() {
            if !kept.remove(skill) {
                self.is_not_its_own(format!("spec.removeSkills[{index}]"));
            }
        }
        set(&mut self.owned, &["spec", "skills"], (!kept.is_empty()).then(|| json!(kept)));
    }

    fn config(&mut self, spec: &SelfConfigSpec) {
        let Some(patch) = &spec.config_patch else { return };
        let field = "spec.configPatch";
        if nesting::is_too_deep(patch) {
            return self.fail(field.to_owned(), nesting::too_deep());
        }
        let Some(patch) = patch.as_object() else {
            return self.fail(field.to_owned(), "must be an object, as openclaw.json is");
        };
        for key in patch.keys().filter(|key| PROTECTED_KEYS.contains(&key.as_str())) {
            self.fail(format!("{field}.{key}"), "is protected: no request may set it");
        }
        if self.live.pointer("/spec/config/configMapRef").is_some_and(|it| !it.is_null()) {
            let message = "has no effect: the instance takes openclaw.json from `configMapRef`";
            return self.fail(field.to_owned(), message);
        }
        let raw = self.owned.pointer("/spec/config/raw").cloned();
        let mut raw = raw.filter(Value::is_object).unwrap_or_else(|| json!({}));
        merge(&mut raw, patch);
        let is_empty = raw.as_object().is_none_or(Map::is_empty);
        set(&mut self.owned, &["spec", "config", "raw"], (!is_empty).then_some(raw));
    }

    fn files(&mut self, spec: &SelfConfigSpec) {
        const PLACE: &str = "/spec/workspace/initialFiles";
        let there = keys(self.live.pointer(PLACE));
        let kept = self.owned.pointer(PLACE).and_then(Value::as_object);
        let mut kept = kept.cloned().unwrap_or_default();
        let removed = spec.remove_workspace_files.as_deref().unwrap_or_default();
        for (name, content) in spec.add_workspace_files.iter().flatten() {
            let path = format!("spec.addWorkspaceFiles[{name:?}]");
            if removed.contains(name) {
                self.fail(path, "is in `removeWorkspaceFiles`, too: remove one of the two");
            } else if let Err(reason) = check_workspace_file(name) {
                self.fail(path, reason);
            } else if there.contains(name) && !kept.contains_key(name) {
                self.fail(path, "is declared by somebody else, who alone may change it");
            } else {
                kept.insert(name.clone(), json!(content));
            }
        }
        for (index, name) in removed.iter().enumerate() {
            if kept.remove(name).is_none() {
                self.is_not_its_own(format!("spec.removeWorkspaceFiles[{index}]"));
            }
        }
        let files = (!kept.is_empty()).then_some(Value::Object(kept));
        set(&mut self.owned, &["spec", "workspace", "initialFiles"], files);
    }

    fn variables(&mut self, spec: &SelfConfigSpec) {
        let there = names(self.live.pointer("/spec/env"));
        let kept = self.owned.pointer("/spec/env").and_then(Value::as_array);
        let mut kept = kept.cloned().unwrap_or_default();
        let named =
            |entry: &Value, name: &str| entry.get("name").and_then(Value::as_str) == Some(name);
        let removed = spec.remove_env_vars.as_deref().unwrap_or_default();
        for (index, variable) in spec.add_env_vars.iter().flatten().enumerate() {
            let name = variable.name.as_str();
            let path = format!("spec.addEnvVars[{index}].name");
            let is_kept = kept.iter().any(|entry| named(entry, name));
            if env::is_protected_from_requests(name) {
                self.fail(path, format!("{name} is protected: no request may set it"));
            } else if removed.iter().any(|other| other == name) {
                self.fail(
                    path,
                    format!("{name} is in `removeEnvVars`, too: remove one of the two"),
                );
            } else if there.contains(name) && !is_kept {
                self.fail(
                    path,
                    format!("{name} is declared by somebody else, who alone may change it"),
                );
            } else {
                kept.retain(|entry| !named(entry, name));
                kept.push(json!({"name": name, "value": variable.value}));
            }
        }
        for (index, name) in removed.iter().enumerate() {
            let before = kept.len();
            kept.retain(|entry| !named(entry, name));
            if kept.len() == before {
                self.is_not_its_own(format!("spec.removeEnvVars[{index}]"));
            }
        }
        set(&mut self.owned, &["spec", "env"], (!kept.is_empty()).then_some(Value::Array(kept)));
    }
}

/// Objects are merged, `null` removes, everything else is replaced (RFC 7386).
fn merge(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(fields) = target else { return };
    for (key, value) in patch {
        match value {
            Value::Null => drop(fields.remove(key)),
            Value::Object(inner) => merge(fields.entry(key.as_str()).or_insert(Value::Null), inner),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                fields.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Puts a value at a path, or takes it away.
fn set(object: &mut Value, path: &[&str], value: Option<Value>) {
    let Value::Object(fields) = object else { return };
    match (path, value) {
        ([], _) => {}
        ([last], Some(value)) => drop(fields.insert((*last).to_owned(), value)),
        ([last], None) => drop(fields.remove(*last)),
        ([first, rest @ ..], Some(value)) => {
            let inner = fields.entry(*first).or_insert_with(|| json!({}));
            set(inner, rest, Some(value));
        }
        ([first, rest @ ..], None) => {
            let Some(inner) = fields.get_mut(*first) else { return };
            set(inner, rest, None);
            if inner.as_object().is_some_and(Map::is_empty) {
                fields.remove(*first);
            }
        }
    }
}

fn texts(list: Option<&Value>) -> BTreeSet<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn keys(map: Option<&Value>) -> BTreeSet<String> {
    map.and_then(Value::as_object).into_iter().flat_map(|map| map.keys().cloned()).collect()
}

fn names(list: Option<&Value>) -> BTreeSet<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.get("name")?.as_str().map(str::to_owned)).collect()
}
