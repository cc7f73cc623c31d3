//! `ConfigMap` with a dashboard of the agent, for the sidecar of Grafana that looks for such.
//!
//! - Present when: `spec.observability.metrics.grafanaDashboard` is on.
//! - Reads: labels, folder, and the name of the claim.
//! - Restarts pods: never.
//!
//! Grafana's sidecar writes each key to a file of that name, and Grafana takes one dashboard of a
//! uid: both name the agent. What is shown of the fleet belongs to the operator's chart.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::meta;
use crate::hash;
use crate::resolve::Resolved;
use crate::vocab::{annotations, labels};

const DASHBOARD: &str = include_str!("../../assets/dashboards/instance.json");
/// In the expressions of panels that are about the claim.
const CLAIM: &str = "$claim";

pub(super) fn render(instance: &Resolved) -> Option<ConfigMap> {
    let wanted = instance.dashboards.as_ref()?;
    let mut metadata = meta::with_owner(instance, instance.name.dashboard());
    let all = metadata.labels.get_or_insert_default();
    all.insert(labels::DASHBOARD.to_owned(), labels::DASHBOARD_VALUE.to_owned());
    all.extend(wanted.labels.clone());
    let folder = (annotations::DASHBOARD_FOLDER.to_owned(), wanted.folder.clone());
    metadata.annotations = Some([folder].into());
    let file = format!("openclaw-{}.{}.json", instance.namespace, instance.name);
    let data = BTreeMap::from([(file, dashboard(instance).to_string())]);
    Some(ConfigMap { metadata, data: Some(data), ..Default::default() })
}

fn dashboard(instance: &Resolved) -> Value {
    let claim = instance.storage.volume.claim();
    let place = format!("{}/{}", instance.namespace, instance.name);
    // A test reads the file.
    let mut dashboard: Value = serde_json::from_str(DASHBOARD).unwrap_or_default();
    set(&mut dashboard, "title", json!(format!("OpenClaw {place}")));
    // At most 40 characters are allowed.
    set(&mut dashboard, "uid", json!(format!("openclaw-{}", hash::of(&place))));
    let constants = [
        ("namespace", instance.namespace.as_str()),
        ("instance", instance.name.as_str()),
        ("claim", claim.unwrap_or_default()),
    ];
    let variables = dashboard.pointer_mut("/templating/list").and_then(Value::as_array_mut);
    for variable in variables.into_iter().flatten() {
        let constant = constants.iter().find(|(name, _)| variable["name"] == *name);
        if let Some((_, value)) = constant {
            set(variable, "query", json!(value));
            set(variable, "current", json!({"text": value, "value": value}));
        }
    }
    if claim.is_none() {
        without_claim(&mut dashboard);
    }
    dashboard
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

/// Takes the panels about the claim away, and rows that nothing is left of.
fn without_claim(within: &mut Value) {
    let Some(panels) = within.get_mut("panels").and_then(Value::as_array_mut) else { return };
    panels.retain_mut(|panel| {
        let had = panel["panels"].as_array().is_some_and(|inner| !inner.is_empty());
        without_claim(panel);
        let has = panel["panels"].as_array().is_some_and(|inner| !inner.is_empty());
        (has || !had) && !panel["targets"].to_string().contains(CLAIM)
    });
}
