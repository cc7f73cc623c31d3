//! `ConfigValid`: openclaw.json can be rendered, and the application runs with it.

use super::workload;
use crate::api::{ConditionType as About, ConfigStatus, Reason};
use crate::problem::{Problem, Rule, Severity};
use crate::resolve::Resolved;
use crate::status::config_sync::{Config, Unconfirmed};
use crate::status::{Findings, Statement};

pub(super) fn statement(
    resolved: Option<&Resolved>,
    problems: &[Problem],
    findings: &Findings,
    config: &Config,
) -> Option<Statement> {
    let condition = |holds, reason, message: String| {
        Some(Statement::new(About::ConfigValid, holds, reason, message))
    };
    let about_config = |problem: &&Problem| problem.about == About::ConfigValid;
    for problem in problems.iter().filter(about_config) {
        let reason = match (problem.severity, problem.rule) {
            (Severity::Error, Rule::MissingKey) => Reason::ConfigMapKeyMissing,
            (Severity::Error, Rule::Missing) => Reason::ConfigMapMissing,
            (Severity::Error, _) => Reason::InvalidJSON,
            (Severity::WillNotStart, _) => Reason::WillNotStart,
            (Severity::Advice, Rule::Unknown) => Reason::ConfigMapUnknown,
            (Severity::Advice, _) => continue,
        };
        return condition(false, reason, problem.to_string());
    }
    resolved?;
    let rendered = &findings.rollout.as_ref()?.config_hash;
    let status = config.status.as_ref();
    if let Some(config) = status.filter(|config| config.rejected_hash.as_ref() == Some(rendered)) {
        let why = config.message.as_deref().unwrap_or("no reason given");
        return condition(
            false,
            Reason::ConfigurationRejected,
            format!(
                "the application refuses the new openclaw.json, the last good one stays: {why}"
            ),
        );
    }
    if let Some(Unconfirmed { since, message }) = &config.unconfirmed {
        let reason = Reason::ConfigUnconfirmed;
        return Some(Statement::unknown(About::ConfigValid, reason, message, *since));
    }
    match status.and_then(ConfigStatus::why_not_in_place) {
        Some(why) if workload::is_for_space(why) => condition(
            false,
            Reason::VolumeFull,
            format!("the new openclaw.json is not in place: {why}: {}", workload::ENLARGE),
        ),
        Some(why) => condition(
            false,
            Reason::ConfigNotApplied,
            format!("the new openclaw.json is not in place: {why}"),
        ),
        None => match status.and_then(|config| migrated(config, rendered)) {
            Some(changes) => condition(
                true,
                Reason::ConfigMigrated,
                format!(
                    "the application has retired keys of openclaw.json {rendered}, and its own \
                     migration changed them in the pod ({changes}): change spec.config likewise"
                ),
            ),
            None => match status.and_then(|config| config.set_aside.as_ref()) {
                Some(what) => condition(
                    true,
                    Reason::ConfigSetAside,
                    format!(
                        "openclaw.json {rendered} is rendered; what the agent had written could \
                         not be used, and the last good file is back: {what}"
                    ),
                ),
                None => condition(
                    true,
                    Reason::ConfigRendered,
                    format!("openclaw.json {rendered} is rendered"),
                ),
            },
        },
    }
}

/// How the file that is in place differs from what is rendered.
fn migrated(config: &ConfigStatus, rendered: &str) -> Option<String> {
    let is_in_place = config.applied_hash.as_deref() == Some(rendered);
    (is_in_place && !config.migrated.is_empty()).then(|| config.migrated.join(", "))
}
