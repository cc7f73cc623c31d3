//! What is restored: from where, with what, and how far that is.

use super::auto_update;
use super::backup::{self, Backup, Lack, Means};
use super::context::Resolving;
use super::defaults::text;
use super::environment::Environment;
use super::shared_storage::{self, Permission};
use super::storage::Storage;
use crate::api::ConditionType::RestoreComplete;
use crate::api::{OpenClawInstance, OpenClawInstanceSpec};
use crate::lifecycle::restore::{self, Record, Stage};
use crate::object::Kind;
use crate::power::{Off, Power};
use crate::predecessor::is_scaled_down;
use crate::vocab::names::{InstanceName, SHARED_BACKUP};

/// Where it is asked for.
pub(super) const PATH: &str = "spec.restoreFrom";

/// A restore that is asked for, or under way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Restore {
    /// What is to be restored and was not so far, as it is written.
    pub(crate) asked: Option<String>,
    /// Whether an update that is undone asks for it.
    pub(crate) undoes_update: bool,
    /// What it is made with, or why it cannot be.
    pub(crate) means: Result<Means, Lack>,
    /// Whether it may be restored with these means.
    pub(crate) permission: Permission,
    /// The Job that is wanted now, and what it restores.
    pub(crate) job: Option<(String, String)>,
    pub(crate) timeout_seconds: i64,
    pub(crate) service_account: Option<String>,
    /// Whether the agent stays off for it.
    pub(crate) holds: bool,
    /// Whether its Job may be there.
    pub(crate) is_under_way: bool,
}

impl Restore {
    /// Returns what is to be restored, if that can be done.
    pub(crate) fn possible(&self) -> Option<&str> {
        let is_permitted = self.permission == Permission::Given;
        self.asked.as_deref().filter(|_| is_permitted && !self.is_impossible())
    }

    /// Returns whether what it is made with is certain to be missing, or it may not be made.
    pub(crate) fn is_impossible(&self) -> bool {
        let is_complete = self.means.as_ref().is_ok_and(|means| means.is_complete);
        !is_complete || self.permission == Permission::Denied
    }

    /// Returns whether it is unknown what the namespace's agents may restore.
    pub(crate) fn asks_the_namespace(&self) -> bool {
        self.permission == Permission::Unseen
    }
}

/// Returns whether a pod is wanted. None is while a restore is under way, or must be first.
pub(super) fn power(spec: &OpenClawInstanceSpec, restore: Option<&Restore>) -> Power {
    let asked = Power::asked(spec);
    let is_held = |it: &Restore| it.holds && (asked.is_on() || it.is_under_way);
    if restore.is_some_and(is_held) { Power::Off(Off::Restoring) } else { asked }
}

pub(super) fn resolve(
    name: &InstanceName,
    instance: &OpenClawInstance,
    spec: &OpenClawInstanceSpec,
    volume: &Storage,
    environment: &Environment,
    backup: Option<&Backup>,
    cx: &mut Resolving<'_>,
) -> Option<Restore> {
    let record = Record::of(instance.status.as_ref());
    let put_back = auto_update::to_put_back(instance, spec);
    let written = put_back.or(text(spec.restore_from.as_ref()));
    let asked = written.filter(|_| restore::is_due(&record, written));
    let stage = restore::stage(&record);
    if asked.is_none() && stage == Stage::Idle {
        return None;
    }
    cx.refer(Kind::StatefulSet, name.as_str());
    let means = match backup.map(|backup| &backup.means) {
        Some(Ok(means)) => Ok(means.clone()),
        _ if asked.is_none() => Err(Lack::Destination),
        Some(Err(_)) | None => backup::means_of_restore(spec, volume, environment, cx),
    };
    let permission = match (&means, asked) {
        (Ok(means), Some(from)) if means.secret == SHARED_BACKUP => {
            cx.about(RestoreComplete, |cx| shared_storage::may_restore(PATH, from, cx))
        }
        _ => Permission::Given,
    };
    let is_under_way = matches!(stage, Stage::UnderWay { .. } | Stage::Ending { .. });
    let asks = spec.backup.clone().unwrap_or_default();
    let job = match stage {
        // One that is under way is not taken away for a Secret that cannot be seen.
        Stage::UnderWay { job, from, .. }
            if asked == Some(from) && means.is_ok() && permission != Permission::Denied =>
        {
            Some((job.to_owned(), from.to_owned()))
        }
        Stage::Idle | Stage::UnderWay { .. } | Stage::Failed { .. } | Stage::Ending { .. } => None,
    };
    let may_begin = put_back.is_some() || is_scaled_down(name.as_str(), cx.uid(), cx.observed);
    Some(Restore {
        holds: restore::holds(&record, asked, may_begin),
        undoes_update: put_back.is_some(),
        is_under_way,
        asked: asked.map(str::to_owned),
        means,
        permission,
        job,
        timeout_seconds: backup
            .map_or_else(|| backup::timeout(&asks, cx), |backup| backup.timeout_seconds),
        service_account: text(asks.service_account_name.as_ref()).map(str::to_owned),
    })
}
