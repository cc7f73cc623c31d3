//! The conditions of an instance, each a function of what is observed.

use super::config::{Config, Unconfirmed};
use super::{Findings, Statement, workload};
use crate::api::{ConditionType as About, ConfigStatus, Reason};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::plan::rollout::{Rollout, Verdict};
use crate::problem::{Problem, Rule, Severity};
use crate::resolve::{DataVolume, Resolved};
use crate::vocab::annotations;

/// Changes that a message lists; the rest is counted.
const LISTED_CHANGES: usize = 5;

pub(super) fn all(
    resolved: Option<&Resolved>,
    observed: &Observed,
    problems: &[Problem],
    findings: &Findings,
    config: &Config,
) -> Vec<Statement> {
    let mut statements = Vec::new();
    statements.push(ready(resolved, observed, problems, findings));
    statements.extend(config_valid(resolved, problems, findings, config));
    statements.extend(secrets_ready(resolved, problems));
    statements.extend(unsupported(problems));
    statements.extend(paused(findings));
    if let Some(resolved) = resolved {
        statements.push(workload::stateful_set_ready(resolved, observed, &findings.waits));
        statements.push(applied(About::ServiceReady, Kind::Service, resolved, observed));
        statements.push(rbac_ready(resolved, observed));
        statements.extend(
            resolved.network_policy.as_ref().map(|_| {
                applied(About::NetworkPolicyReady, Kind::NetworkPolicy, resolved, observed)
            }),
        );
        statements.push(storage_ready(resolved, observed, problems));
    }
    let rollout = findings.rollout.as_ref();
    statements.extend(rollout.and_then(|rollout| rollout_pending(rollout, problems)));
    statements.extend(name_conflict(findings));
    statements.sort_by_key(|statement| statement.about);
    statements
}

fn ready(
    resolved: Option<&Resolved>,
    observed: &Observed,
    problems: &[Problem],
    findings: &Findings,
) -> Statement {
    let say = |holds, reason, message: String| Statement::new(About::Ready, holds, reason, message);
    let errors = texts(problems, |problem| problem.severity == Severity::Error);
    if !errors.is_empty() {
        return say(false, Reason::InvalidSpec, errors);
    }
    let unsupported = paths(problems, Rule::Unsupported);
    if !unsupported.is_empty() {
        return say(
            false,
            Reason::Unsupported,
            format!("nothing is changed while these fields are set: {unsupported}"),
        );
    }
    if !findings.conflicts.is_empty() {
        return say(false, Reason::NameTaken, taken(findings));
    }
    let Some(resolved) = resolved else {
        return say(false, Reason::InvalidSpec, "the spec could not be resolved".to_owned());
    };
    let ready = workload::ready(resolved, observed, &findings.waits);
    if !ready.holds && !observed.refused.is_empty() {
        let refusals: Vec<String> =
            observed.refused.keys().filter_map(|key| refusal(observed, key)).collect();
        return say(false, Reason::ApplyRefused, refusals.join("; "));
    }
    let stops = texts(problems, |problem| problem.severity == Severity::WillNotStart);
    if !ready.holds && ready.reason != Reason::Suspended && !stops.is_empty() {
        return say(false, Reason::WillNotStart, stops);
    }
    ready
}

fn config_valid(
    resolved: Option<&Resolved>,
    problems: &[Problem],
    findings: &Findings,
    config: &Config,
) -> Option<Statement> {
    let say = |holds, reason, message: String| {
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
        return say(false, reason, problem.to_string());
    }
    resolved?;
    let rendered = &findings.rollout.as_ref()?.config_hash;
    let status = config.status.as_ref();
    if let Some(config) = status.filter(|config| config.rejected_hash.as_ref() == Some(rendered)) {
        let why = config.message.as_deref().unwrap_or("no reason given");
        return say(
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
    match status.and_then(ConfigStatus::hindrance) {
        Some(why) if workload::is_for_space(why) => say(
            false,
            Reason::VolumeFull,
            format!("the new openclaw.json is not in place: {why}: {}", workload::ENLARGE),
        ),
        Some(why) => say(
            false,
            Reason::ConfigNotApplied,
            format!("the new openclaw.json is not in place: {why}"),
        ),
        None => match status.and_then(|config| migrated(config, rendered)) {
            Some(changes) => say(
                true,
                Reason::ConfigMigrated,
                format!(
                    "the application has retired keys of openclaw.json {rendered}, and its own \
                     migration changed them in the pod ({changes}): change spec.config likewise"
                ),
            ),
            None => {
                say(true, Reason::ConfigRendered, format!("openclaw.json {rendered} is rendered"))
            }
        },
    }
}

/// How the file that is in place differs from what is rendered.
fn migrated(config: &ConfigStatus, rendered: &str) -> Option<String> {
    let is_in_place = config.applied_hash.as_deref() == Some(rendered);
    (is_in_place && !config.migrated.is_empty()).then(|| config.migrated.join(", "))
}

fn secrets_ready(resolved: Option<&Resolved>, problems: &[Problem]) -> Option<Statement> {
    let about = |problem: &&Problem| problem.about == About::SecretsReady;
    for (rules, reason) in [
        (&[Rule::Missing, Rule::MissingKey][..], Reason::SecretMissing),
        (&[Rule::Unknown], Reason::SecretUnknown),
    ] {
        let found: Vec<String> = problems
            .iter()
            .filter(about)
            .filter(|problem| rules.contains(&problem.rule))
            .map(ToString::to_string)
            .collect();
        if !found.is_empty() {
            return Some(Statement::new(About::SecretsReady, false, reason, found.join("; ")));
        }
    }
    resolved?;
    Some(Statement::new(
        About::SecretsReady,
        true,
        Reason::SecretsFound,
        "everything that the environment refers to is there",
    ))
}

fn unsupported(problems: &[Problem]) -> Option<Statement> {
    let fields = paths(problems, Rule::Unsupported);
    (!fields.is_empty()).then(|| {
        Statement::new(
            About::Unsupported,
            true,
            Reason::Unsupported,
            format!("this version does not render {fields}"),
        )
    })
}

fn paused(findings: &Findings) -> Option<Statement> {
    findings.paused.then(|| {
        Statement::new(
            About::Paused,
            true,
            Reason::Paused,
            format!("nothing is written while annotation `{}` is `true`", annotations::PAUSED),
        )
    })
}

/// Role and `RoleBinding` are one thing to users.
fn rbac_ready(resolved: &Resolved, observed: &Observed) -> Statement {
    let about = |kind| applied(About::RBACReady, kind, resolved, observed);
    let role = about(Kind::Role);
    if role.reason == Reason::ApplyRefused { role } else { about(Kind::RoleBinding) }
}

/// What the API server said to an object that it refused.
pub(super) fn refusal(observed: &Observed, key: &ObjectKey) -> Option<String> {
    let said = observed.refused.get(key)?;
    Some(format!("the API server refuses {key}: {said}"))
}

/// Whether an object of the instance's name is there.
fn applied(about: About, kind: Kind, resolved: &Resolved, observed: &Observed) -> Statement {
    let key = ObjectKey::new(kind, resolved.name.as_str());
    let uid = resolved.uid.as_deref();
    if let Some(message) = refusal(observed, &key) {
        return Statement::new(about, false, Reason::ApplyRefused, message);
    }
    let ours = observed.objects.get(&key).and_then(Fact::known);
    if ours.is_some_and(|seen| seen.controller.as_deref() == uid) {
        Statement::new(about, true, Reason::Applied, format!("{key} is there"))
    } else {
        Statement::new(about, false, Reason::NotApplied, format!("{key} is not there yet"))
    }
}

fn storage_ready(resolved: &Resolved, observed: &Observed, problems: &[Problem]) -> Statement {
    let say = |holds, reason, message: String| {
        Statement::new(About::StorageReady, holds, reason, message)
    };
    let claim = match &resolved.storage.volume {
        DataVolume::Ephemeral(_) => {
            return say(true, Reason::NotPersistent, "the state goes with the pod".to_owned());
        }
        DataVolume::Own { claim, .. } | DataVolume::Existing(claim) => claim,
    };
    let missing =
        |problem: &&Problem| problem.about == About::StorageReady && problem.rule == Rule::Missing;
    if let Some(problem) = problems.iter().find(missing) {
        return say(false, Reason::ClaimMissing, problem.to_string());
    }
    if let Some(said) =
        observed.refused.get(&ObjectKey::new(Kind::PersistentVolumeClaim, claim.as_str()))
    {
        let message = format!("the API server refuses claim {claim}: {said}");
        return say(false, Reason::ApplyRefused, message);
    }
    match observed.claims.get(claim).unwrap_or(&Fact::Unknown) {
        Fact::Known(seen) if seen.deleting => say(
            false,
            Reason::ClaimMissing,
            format!(
                "claim {claim} is being deleted, and its data with it, as soon as no pod uses it"
            ),
        ),
        Fact::Known(seen) => match seen.phase.as_deref() {
            Some("Bound") => say(true, Reason::ClaimBound, format!("claim {claim} is bound")),
            Some("Lost") => say(
                false,
                Reason::ClaimLost,
                format!("claim {claim} has lost its volume: restore the volume or the data"),
            ),
            _ => say(
                false,
                Reason::ClaimPending,
                format!("claim {claim} waits for a volume; see `kubectl describe pvc {claim}`"),
            ),
        },
        Fact::Absent | Fact::Unknown => {
            say(false, Reason::NotApplied, format!("claim {claim} is not there yet"))
        }
    }
}

fn rollout_pending(rollout: &Rollout, problems: &[Problem]) -> Option<Statement> {
    let hash = &rollout.pod_hash;
    match rollout.verdict {
        Verdict::HeldForApproval => Some(Statement::new(
            About::RolloutPending,
            true,
            Reason::HeldForApproval,
            format!(
                "the operator, not the spec, would replace the pod ({}); to approve, set \
                 annotation {}={hash}",
                changes(rollout),
                annotations::APPROVE_ROLLOUT,
            ),
        )),
        Verdict::WillNotStart => Some(Statement::new(
            About::RolloutPending,
            true,
            Reason::WillNotStart,
            format!(
                "the pod and what it depends on stay as they are until the spec is mended: {}",
                texts(problems, |problem| problem.severity == Severity::WillNotStart)
            ),
        )),
        Verdict::Go | Verdict::Unknown => None,
    }
}

fn changes(rollout: &Rollout) -> String {
    let listed: Vec<String> =
        rollout.changes.iter().take(LISTED_CHANGES).map(|change| change.path.clone()).collect();
    match rollout.changes.len().saturating_sub(LISTED_CHANGES) {
        _ if listed.is_empty() => "configuration files".to_owned(),
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

fn name_conflict(findings: &Findings) -> Option<Statement> {
    (!findings.conflicts.is_empty())
        .then(|| Statement::new(About::NameConflict, true, Reason::NameTaken, taken(findings)))
}

fn taken(findings: &Findings) -> String {
    let keys: Vec<String> = findings.conflicts.iter().map(ToString::to_string).collect();
    format!(
        "{} {} not this instance's and {} left alone: rename or delete what is in the way",
        keys.join(", "),
        if keys.len() == 1 { "is" } else { "are" },
        if keys.len() == 1 { "is" } else { "are" },
    )
}

fn texts(problems: &[Problem], which: impl Fn(&Problem) -> bool) -> String {
    let texts: Vec<String> =
        problems.iter().filter(|problem| which(problem)).map(ToString::to_string).collect();
    texts.join("; ")
}

fn paths(problems: &[Problem], rule: Rule) -> String {
    let paths: Vec<&str> = problems
        .iter()
        .filter(|problem| problem.rule == rule)
        .map(|problem| problem.path.as_str())
        .collect();
    paths.join(", ")
}
