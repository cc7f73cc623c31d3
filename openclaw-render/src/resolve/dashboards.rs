//! Whether Grafana gets a dashboard of the agent, and where it is put.

use std::collections::BTreeMap;

use super::context::Resolving;
use super::defaults::text;
use super::metadata::users_labels;
use crate::api::OpenClawInstanceSpec;

const PATH: &str = "spec.observability.metrics.grafanaDashboard";
const FOLDER: &str = "OpenClaw";
const LONGEST_FOLDER: usize = 255;

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
    let is_path = folder.split('/').any(|part| part == "..");
    if folder.len() > LONGEST_FOLDER || folder.chars().any(char::is_control) || is_path {
        cx.error(
            format!("{PATH}.folder"),
            format!(
                "cannot name a folder: write at most {LONGEST_FOLDER} bytes of one line, and no \
                 `..`"
            ),
        );
    }
    let labels =
        users_labels(&format!("{PATH}.labels"), wanted.labels.clone().unwrap_or_default(), cx);
    Some(Dashboards { labels, folder: folder.to_owned() })
}
