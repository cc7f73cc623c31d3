//! What is counted of automatic updates.

use openclaw_render::api::AutoUpdateStatus;
use openclaw_render::update_news;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::SUCCESS;
use super::labels::{Of, WithResult, of, with_result};
use crate::live::InstanceKey;

const ERROR: &str = "error";

/// See the module.
#[derive(Default)]
pub(super) struct Updates {
    checks: Family<WithResult, Counter>,
    applied: Family<Of, Counter>,
    rollbacks: Family<Of, Counter>,
}

impl Updates {
    /// The registry was looked at for an instance.
    pub(super) fn checked(&self, key: &InstanceKey, is_read: bool) {
        let result = if is_read { SUCCESS } else { ERROR };
        self.checks.get_or_create(&with_result(key, result)).inc();
    }

    /// A record took the place of another one. Series begin at 0, so that the first update is seen to
    /// be more than none.
    pub(super) fn recorded(
        &self,
        key: &InstanceKey,
        before: Option<&AutoUpdateStatus>,
        after: &AutoUpdateStatus,
    ) {
        let news = update_news(before, after);
        self.applied.get_or_create(&of(key)).inc_by(news.is_begun.into());
        self.rollbacks.get_or_create(&of(key)).inc_by(news.is_undone.into());
    }

    pub(super) fn forget(&self, key: &InstanceKey) {
        for result in [SUCCESS, ERROR] {
            self.checks.remove(&with_result(key, result));
        }
        self.applied.remove(&of(key));
        self.rollbacks.remove(&of(key));
    }

    pub(super) fn register(&self, all: &mut Registry) {
        all.register(
            "openclaw_autoupdate_checks",
            "Looks for a newer release in the registry of an agent's image, by result",
            self.checks.clone(),
        );
        all.register(
            "openclaw_autoupdate_applied",
            "Newer releases that an agent was given by itself",
            self.applied.clone(),
        );
        all.register(
            "openclaw_autoupdate_rollbacks",
            "Newer releases that were not ready in time, so that the agent went back",
            self.rollbacks.clone(),
        );
    }
}
