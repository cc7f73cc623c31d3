//! Labels of every object, and the two of them that select the pod.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::names::InstanceName;

/// Key of the application's name, see the Kubernetes documentation on recommended labels.
pub const NAME: &str = "app.kubernetes.io/name";
/// Key of the instance's name.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// Key of the program that manages the object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Value of [`NAME`].
pub const NAME_VALUE: &str = "openclaw";
/// Value of [`MANAGED_BY`].
pub const MANAGED_BY_VALUE: &str = "openclaw-operator";
/// Key of what a pod is, if it is not the agent itself.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// Value of [`COMPONENT`] for what makes backups.
pub const COMPONENT_BACKUP: &str = "backup";
/// Value of [`NAME`] for what makes backups: nothing that selects the agent selects it.
pub const BACKUP_NAME_VALUE: &str = "openclaw-backup";
/// Key by which Grafana's sidecar finds dashboards, unless it is told otherwise.
pub const DASHBOARD: &str = "grafana_dashboard";
/// Value of [`DASHBOARD`].
pub const DASHBOARD_VALUE: &str = "1";
/// Key, with `true`, of copies of the operator's Secret for backups.
pub const SHARED_BACKUP: &str = "openclaw.rocks/shared-backup";
/// Label that the API server puts on every namespace.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The labels that select the pod. They are part of immutable selectors: they never change.
pub(crate) fn selecting(name: &InstanceName) -> BTreeMap<String, String> {
    BTreeMap::from([
        (NAME.to_owned(), NAME_VALUE.to_owned()),
        (INSTANCE.to_owned(), name.as_str().to_owned()),
    ])
}

/// The same as text, as `kubectl` takes them.
pub(crate) fn selecting_text(name: &InstanceName) -> String {
    let labels = selecting(name).into_iter();
    labels.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// The labels of every object that we make.
pub(crate) fn common(name: &InstanceName) -> BTreeMap<String, String> {
    let mut labels = selecting(name);
    labels.insert(MANAGED_BY.to_owned(), MANAGED_BY_VALUE.to_owned());
    labels
}

/// The labels of Jobs and pods that make backups of one instance.
pub(crate) fn of_backups(name: &InstanceName) -> BTreeMap<String, String> {
    BTreeMap::from([
        (COMPONENT.to_owned(), COMPONENT_BACKUP.to_owned()),
        (NAME.to_owned(), BACKUP_NAME_VALUE.to_owned()),
        (INSTANCE.to_owned(), name.as_str().to_owned()),
        (MANAGED_BY.to_owned(), MANAGED_BY_VALUE.to_owned()),
    ])
}

/// Selects the pods of one instance.
pub(crate) fn selector(name: &InstanceName) -> LabelSelector {
    LabelSelector { match_labels: Some(selecting(name)), ..Default::default() }
}

/// Selects one namespace by its name.
pub(crate) fn namespace(name: &str) -> LabelSelector {
    LabelSelector {
        match_labels: Some(BTreeMap::from([(NAMESPACE_NAME.to_owned(), name.to_owned())])),
        ..Default::default()
    }
}
