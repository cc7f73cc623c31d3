//! Status: conditions, phase and summary, computed whole in every pass from what is observed.
//!
//! Conditions say what is; the phase is their summary. A condition keeps its transition time while
//! its status stays the same.

mod backups;
mod conditions;
mod config_sync;
mod deletion;
mod kept;
mod managed;
mod phase;
mod restores;
mod statement;
mod transitions;
pub(crate) mod updates;

use std::collections::BTreeMap;

pub(crate) use backups::progress as backup_progress;
pub(crate) use conditions::texts;
pub(crate) use config_sync::UNCONFIRMED_AFTER;
pub(crate) use deletion::{LastBackup, report_deletion, report_last_backup};
pub(crate) use kept::decode;
pub(crate) use statement::Statement;
pub(crate) use transitions::since;

use crate::api::{OpenClawInstance, OpenClawInstanceStatus};
use crate::effect::{Event, Lookup, Question, is_at_rest};
use crate::object::ObjectKey;
use crate::observed::Observed;
use crate::pacing::Standing;
use crate::power::Power;
use crate::problem::Problem;
use crate::resolve::Resolved;
use crate::rollout::Rollout;
use crate::vocab::labels;
use crate::wait::{Wait, Why};

/// What a pass found out besides the problems of the spec.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) paused: bool,
    pub(crate) rollout: Option<Rollout>,
    /// Whether nothing was decided because nobody could look at the ClusterDefaults.
    pub(crate) unread_defaults: bool,
    /// Objects of others under names that we need.
    pub(crate) conflicts: Vec<ObjectKey>,
    /// Objects that stand beside the pod, with what keeps them from being there.
    pub(crate) companions: BTreeMap<ObjectKey, Option<Why>>,
    /// Objects that must be in place before the StatefulSet is sent.
    pub(crate) waits: Vec<Wait>,
}

/// What there is to say, and to ask.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Report {
    /// The whole status.
    pub(crate) status: OpenClawInstanceStatus,
    /// What users are told, once per change.
    pub(crate) events: Vec<Event>,
    /// What config-sync is to be asked.
    pub(crate) ask: Option<Question>,
    /// Which image's tags are to be read.
    pub(crate) look_up: Option<Lookup>,
    /// Whether the next pass has something to do with what this one writes down.
    pub(crate) has_news: bool,
    /// Where the agent stands with an update that others wait for, too.
    pub(crate) standing: Option<Standing>,
    /// Whether watches report whatever is still missing, so that no polling is needed.
    pub(crate) is_quiet: bool,
}

/// Returns what there is to say of an instance.
pub(crate) fn report(
    instance: &OpenClawInstance,
    resolved: Option<&Resolved>,
    observed: &Observed,
    problems: &[Problem],
    findings: &Findings,
) -> Report {
    let config = config_sync::read(instance, resolved, observed, findings);
    let backups = backups::list(resolved, observed, instance.status.as_ref());
    let last_good = backups.iter().find(|backup| backup.succeeded == Some(true)).cloned();
    let mut statements = conditions::all(resolved, observed, problems, findings, &config, &backups);
    let restores = restores::read(instance, resolved, observed, findings.paused);
    if let Some(resolved) = resolved {
        statements.extend(conditions::restore::statement(resolved, observed, problems, &restores));
        conditions::restore::take_over(resolved, &mut statements);
    }
    let updates = updates::read(instance, resolved, observed, findings, &restores);
    statements.extend(updates.iter().flat_map(conditions::updates::statements));
    let name = instance.metadata.name.as_deref().unwrap_or_default();
    if resolved.is_none() && !Power::asked(&instance.spec).is_on() {
        statements.extend(conditions::workload::stopped(name, observed));
    }
    conditions::refused::tell(name, observed, &mut statements);
    statements.sort_by_key(|statement| statement.about);
    let previous = instance.status.clone().unwrap_or_default();
    let known = previous.managed_resources.clone();
    let mut status = OpenClawInstanceStatus {
        phase: Some(phase::summary(&statements, &previous)),
        observed_generation: instance.metadata.generation,
        gateway_endpoint: resolved.and_then(|resolved| {
            let port = resolved.service.gateway?;
            Some(format!("{}.{}.svc:{port}", resolved.name, resolved.namespace))
        }),
        replicas: resolved
            .and_then(|resolved| managed::replicas(resolved, observed))
            .or(previous.replicas),
        selector: resolved
            .map(|resolved| labels::selecting_text(&resolved.name))
            .or(previous.selector.clone()),
        managed_resources: match resolved {
            Some(resolved) => {
                Some(managed::resources(resolved, observed, known.unwrap_or_default()))
            }
            None => known,
        },
        config: config.status,
        last_backup_path: last_good
            .as_ref()
            .and_then(|last| last.path.clone())
            .or_else(|| previous.last_backup_path.clone()),
        last_backup_time: last_good
            .and_then(|last| last.completion_time)
            .or_else(|| previous.last_backup_time.clone()),
        backups: Some(backups).filter(|all| !all.is_empty()),
        volume: managed::volume(observed, &previous),
        installed: managed::installed(resolved, &previous),
        auto_update: match &updates {
            Some(updates) => Some(updates.record.clone()),
            None => updates::unused(resolved, previous.auto_update.clone()),
        },
        ..kept::records(previous.clone())
    };
    restores.note(&mut status);
    status.last_reconcile_time = phase::carried_out_at(&status, &previous, observed);
    let is_quiet = is_at_rest(&status) || phase::lacks_only_its_pod(&statements, observed);
    let (conditions, events) = transitions::since_last(instance, statements, observed.now);
    status.conditions = Some(conditions);
    let updates_have_news = updates.as_ref().is_some_and(|updates| updates.has_news);
    let (look_up, standing) = updates.map(|updates| (updates.lookup, updates.standing)).unzip();
    let has_news = restores.has_news || updates_have_news;
    let standing = standing.flatten();
    Report { status, events, ask: config.question, look_up, standing, is_quiet, has_news }
}
