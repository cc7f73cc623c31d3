//! Whether there are alerts about the agent, and where their runbooks are.

use std::collections::BTreeMap;

use super::context::Resolving;
use super::defaults::text;
use super::metadata::users_labels;
use super::stored_defaults;
use crate::api::{OpenClawInstance, OpenClawInstanceSpec};

const PATH: &str = "spec.observability.metrics.prometheusRule";
/// Pages of this repository, one for each alert.
const RUNBOOKS: &str = "https://github.com/openclaw-rs/openclaw-operator/blob/main/docs/runbooks";

/// Alerts about the agent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alerts {
    /// The user's, none of which is ours.
    pub(crate) labels: BTreeMap<String, String>,
    /// Without a slash at its end; `None` for the pages of this repository.
    runbooks: Option<String>,
}

impl Alerts {
    /// Returns the address of what to do about an alert.
    pub(crate) fn runbook(&self, alert: &str) -> String {
        match &self.runbooks {
            Some(base) => format!("{base}/{alert}"),
            None => format!("{RUNBOOKS}/{alert}.md"),
        }
    }
}

/// Returns the alerts, if they are asked for.
pub(super) fn resolve(
    instance: &OpenClawInstance,
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> Option<Alerts> {
    let metrics = spec.observability.as_ref()?.metrics.as_ref()?;
    let rule = metrics.prometheus_rule.as_ref().filter(|rule| rule.enabled == Some(true))?;
    if metrics.enabled == Some(false) {
        cx.ineffective(format!("{PATH}.enabled"), "has no effect while `metrics.enabled` is false");
        return None;
    }
    let labels =
        users_labels(&format!("{PATH}.labels"), rule.labels.clone().unwrap_or_default(), cx);
    let field = ["spec", "observability", "metrics", "prometheusRule", "runbookBaseURL"];
    let runbooks = text(rule.runbook_base_url.as_ref())
        .filter(|_| !stored_defaults::is_stored(instance, &field));
    let runbooks = runbooks.map(|url| url.trim_end_matches('/').to_owned());
    Some(Alerts { labels, runbooks })
}
