//! `PrometheusRule`: alerts about one agent, each with a page on what to do.
//!
//! - Present when: `spec.observability.metrics.prometheusRule` is on.
//! - Reads: labels, address of the runbooks, name of the claim, and when backups are made.
//! - Restarts pods: never.
//!
//! Names of series are as Prometheus stores them: the operator's metrics with `honorLabels`, those
//! of kube-state-metrics and of the kubelet as their own monitors have it. What the operator says
//! is aggregated, so that another pod of the operator is no other alert.

use std::collections::BTreeMap;

use super::meta;
use crate::monitoring::{Alert, PrometheusRule, PrometheusRuleSpec, RuleGroup};
use crate::resolve::{DataVolume, Resolved};
use crate::vocab::{names, schedule};

const GROUP: &str = "openclaw-operator";

pub(super) fn render(instance: &Resolved) -> Option<PrometheusRule> {
    let alerts = instance.alerts.as_ref()?;
    let mut metadata = meta::with_owner(instance, instance.name.alerts());
    metadata.labels.get_or_insert_default().extend(alerts.labels.clone());
    let mut rules = of_operator(instance);
    rules.extend(of_pod(instance));
    rules.extend(of_claim(instance));
    rules.extend(of_backups(instance));
    for rule in &mut rules {
        rule.annotations.insert("runbook_url".to_owned(), alerts.runbook(&rule.alert));
    }
    let groups = vec![RuleGroup { name: GROUP.to_owned(), rules }];
    Some(PrometheusRule { metadata, spec: PrometheusRuleSpec { groups } })
}

/// What the operator says of the instance.
fn of_operator(instance: &Resolved) -> Vec<Alert> {
    let matching = format!(
        "namespace={},instance={}",
        quoted(&instance.namespace),
        quoted(instance.name.as_str())
    );
    let in_phase = |phase, severity| Alert {
        lasts: Some("5m".to_owned()),
        ..alert(
            "OpenClawInstanceDegraded",
            severity,
            format!(
                "max by (namespace, instance, phase) \
                 (openclaw_instance_phase{{phase=\"{phase}\",{matching}}}) == 1"
            ),
            "{{ $labels.namespace }}/{{ $labels.instance }} is in phase {{ $labels.phase }}.",
        )
    };
    vec![
        Alert {
            lasts: Some("5m".to_owned()),
            ..alert(
                "OpenClawReconcileErrors",
                "warning",
                // That somebody else was faster is no error. With the longest delay, passes fail
                // five minutes apart.
                format!(
                    "sum by (namespace, instance) (increase(openclaw_reconcile_total\
                     {{result!~\"success|conflict\",{matching}}}[15m])) > 0"
                ),
                "The operator cannot carry out {{ $labels.namespace }}/{{ $labels.instance }}.",
            )
        },
        in_phase("Failed", "critical"),
        in_phase("Degraded", "warning"),
        Alert {
            lasts: Some("5m".to_owned()),
            ..alert(
                "OpenClawSlowReconciliation",
                "warning",
                format!(
                    "histogram_quantile(0.99, sum by (namespace, instance, le) (rate(\
                     openclaw_reconcile_duration_seconds_bucket{{{matching}}}[15m]))) > 30"
                ),
                "Passes over {{ $labels.namespace }}/{{ $labels.instance }} take more than 30 \
                 seconds.",
            )
        },
        alert(
            "OpenClawAutoUpdateRollback",
            "warning",
            format!(
                "sum by (namespace, instance) (increase(openclaw_autoupdate_rollbacks_total\
                 {{{matching}}}[1h])) > 0"
            ),
            "An update of {{ $labels.namespace }}/{{ $labels.instance }} was undone within the \
             last hour.",
        ),
    ]
}

/// What kube-state-metrics says of the agent's container.
fn of_pod(instance: &Resolved) -> [Alert; 2] {
    let matching = format!(
        "namespace={},pod=~{},container={}",
        quoted(&instance.namespace),
        // Names have nothing in them that an expression gives a meaning to. Others' pods that begin
        // like this one do not match.
        quoted(&format!("{}-[0-9]+", instance.name)),
        quoted(names::AGENT)
    );
    let restarts = format!("increase(kube_pod_container_status_restarts_total{{{matching}}}[10m])");
    [
        alert(
            "OpenClawPodCrashLooping",
            "critical",
            format!("{restarts} > 2"),
            "{{ $labels.namespace }}/{{ $labels.pod }} restarted more than twice in 10 minutes.",
        ),
        alert(
            "OpenClawPodOOMKilled",
            "warning",
            // The reason stays until the pod is replaced.
            format!(
                "kube_pod_container_status_last_terminated_reason\
                 {{reason=\"OOMKilled\",{matching}}} == 1 and on (namespace, pod, container) \
                 {restarts} > 0"
            ),
            "{{ $labels.namespace }}/{{ $labels.pod }} ran out of memory and was restarted.",
        ),
    ]
}

/// What the kubelet says of the volume.
fn of_claim(instance: &Resolved) -> Option<Alert> {
    let claim = match &instance.storage.volume {
        DataVolume::Made { claim, .. } | DataVolume::Existing(claim) => {
            format!("={}", quoted(claim))
        }
        DataVolume::OfReplicas { .. } => {
            format!("=~{}", quoted(&format!("data-{}-[0-9]+", instance.name)))
        }
        DataVolume::Ephemeral(_) => return None,
    };
    let matching =
        format!("namespace={},persistentvolumeclaim{claim}", quoted(&instance.namespace));
    Some(Alert {
        lasts: Some("5m".to_owned()),
        ..alert(
            "OpenClawPVCNearlyFull",
            "warning",
            format!(
                "kubelet_volume_stats_used_bytes{{{matching}}} / \
                 kubelet_volume_stats_capacity_bytes{{{matching}}} > 0.8"
            ),
            "{{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} is more than 80 % full.",
        )
    })
}

/// What kube-state-metrics says of the CronJob; where there is none, the alert is that.
fn of_backups(instance: &Resolved) -> Option<Alert> {
    let backup = instance.backup.as_ref()?;
    let schedule = backup.schedule.as_ref()?;
    let name = instance.name.backup();
    let expr = if backup.means.is_ok() {
        let matching =
            format!("namespace={},cronjob={}", quoted(&instance.namespace), quoted(&name));
        // A day later than it should be there: a backup may take as long.
        let seconds = (schedule::longest_pause_days(&schedule.cron) + 1) * 24 * 60 * 60;
        format!(
            "time() - (max by (namespace, cronjob) (kube_cronjob_status_last_successful_time\
             {{{matching}}}) or max by (namespace, cronjob) (kube_cronjob_created{{{matching}}})) \
             > {seconds}"
        )
    } else {
        "vector(1)".to_owned()
    };
    let summary =
        format!("There is no recent backup of {}/{}.", instance.namespace, instance.name.as_str());
    Some(Alert {
        lasts: Some("15m".to_owned()),
        ..alert("OpenClawBackupTooOld", "warning", expr, &summary)
    })
}

fn alert(name: &str, severity: &str, expr: String, summary: &str) -> Alert {
    Alert {
        alert: name.to_owned(),
        expr,
        lasts: None,
        labels: BTreeMap::from([("severity".to_owned(), severity.to_owned())]),
        annotations: BTreeMap::from([("summary".to_owned(), summary.to_owned())]),
    }
}

/// Text as a literal of `PromQL`.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{text}\"")
}
