//! Whether Grafana gets a dashboard of the agent, and where it is put.

use std::collections::BTreeMap;

use super::context::Resolving;
use super::defaults::text;
use super::metadata::users_labels;
use crate::api::OpenClawInstanceSpec;

const PATH: &str = "spec.observability.metrics.grafanaDashboard";
const FOLDER: &str = "OpenClaw";

/// How Grafana is told of the dashboard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dashboards {
    /// The user's, none of which says whose the object is.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) folder: String,
}

/// Returns how Grafana is told of the dashboard, if one is asked for.
pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Option<Dashboards> {
    let metrics = spec.observability.as_ref()?.metrics.as_ref()?;
    let wanted = metrics.grafana_dashboard.as_ref().filter(|each| each.enabled == Some(true))?;
    if metrics.enabled == Some(false) {
        cx.ineffective(format!("{PATH}.enabled"), "has no effect while `metrics.enabled` is false");
        return None;
    }
    let folder = text(wanted.folder.as_ref()).unwrap_or(FOLDER);
    let labels =
        users_labels(&format!("{PATH}.labels"), wanted.labels.clone().unwrap_or_default(), cx);
    Some(Dashboards { labels, folder: folder.to_owned() })
}
