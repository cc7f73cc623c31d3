//! What belongs to the instance: names of objects, its pods, what is on its volume.

use crate::api::{
    FileUpdatePolicy, InstalledStatus, ManagedResources, OpenClawInstanceStatus, VolumeStatus,
    WorkspaceFileStatus,
};
use crate::hash;
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::resolve::Resolved;

/// More files are not listed.
const MOST_FILES: usize = 100;

/// Returns the names of what we make; of what we do not, the names that were known stay.
pub(super) fn resources(
    resolved: &Resolved,
    observed: &Observed,
    known: ManagedResources,
) -> ManagedResources {
    let name = resolved.name.to_string();
    let seen = |kind: Kind, name: &str| {
        let key = ObjectKey::new(kind, name);
        let fact = observed.objects.get(&key);
        fact.and_then(Fact::known).map(|_| name.to_owned())
    };
    ManagedResources {
        stateful_set: seen(Kind::StatefulSet, &name),
        service: seen(Kind::Service, &name),
        config_map: seen(Kind::ConfigMap, &resolved.name.config()),
        network_policy: seen(Kind::NetworkPolicy, &name),
        pod_disruption_budget: seen(Kind::PodDisruptionBudget, &name),
        http_route: seen(Kind::HTTPRoute, &name),
        horizontal_pod_autoscaler: seen(Kind::HorizontalPodAutoscaler, &name),
        // Also the record of what it is that the replicas' state lies in.
        pvc: resolved.storage.volume.claim().map(str::to_owned),
        chromium_pvc: resolved
            .chromium
            .as_ref()
            .and_then(|chromium| chromium.profile.claim().map(str::to_owned)),
        basic_auth_secret: resolved.ingress.as_ref().and_then(|ingress| {
            let auth = ingress.auth.as_ref()?;
            if auth.made.is_some() {
                seen(Kind::Secret, &auth.secret)
            } else {
                Some(auth.secret.clone())
            }
        }),
        tailscale_state_secret: seen(Kind::Secret, &resolved.name.tailscale_state()),
        prometheus_rule: seen(Kind::PrometheusRule, &resolved.name.alerts()),
        grafana_dashboard_instance: seen(Kind::ConfigMap, &resolved.name.dashboard()),
        backup_cron_job: seen(Kind::CronJob, &resolved.name.backup()),
        // The operator's chart brings it.
        grafana_dashboard_operator: None,
        service_monitor: seen(Kind::ServiceMonitor, &name),
        service_account: seen(Kind::ServiceAccount, &resolved.security.service_account.name),
        role: seen(Kind::Role, &name),
        role_binding: seen(Kind::RoleBinding, &name),
        gateway_token_secret: Some(resolved.token_secret()),
        workspace_files: Some(workspace_files(resolved)).filter(|files| !files.is_empty()),
        ..known
    }
}

/// Returns the files of the user's that are kept up to date.
fn workspace_files(resolved: &Resolved) -> Vec<WorkspaceFileStatus> {
    let all = resolved.workspaces.all.iter().flat_map(|workspace| {
        let kept = workspace.files.iter();
        let kept = kept.filter(|(_, file)| file.policy == FileUpdatePolicy::Replace);
        kept.map(|(path, file)| WorkspaceFileStatus {
            path: path.clone(),
            workspace: Some(workspace.name.clone()).filter(|name| !name.is_empty()),
            update_policy: Some(file.policy),
            source_hash: Some(hash::of(&file.content)),
        })
    });
    all.take(MOST_FILES).collect()
}

/// Returns how many pods the StatefulSet has; nothing while that is not known.
pub(super) fn replicas(resolved: &Resolved, observed: &Observed) -> Option<i32> {
    let key = ObjectKey::new(Kind::StatefulSet, resolved.name.as_str());
    match observed.objects.get(&key)? {
        Fact::Known(seen) => Some(seen.workload.as_ref()?.replicas),
        Fact::Absent => Some(0),
        Fact::Unknown => None,
    }
}

/// Returns what is ready on its volume, by the pod itself: while a roll-out waits, the spec asks for another
/// version, and perhaps another volume.
pub(super) fn volume(
    observed: &Observed,
    previous: &OpenClawInstanceStatus,
) -> Option<VolumeStatus> {
    let mut pods = observed.pods.known().into_iter().flatten();
    let ready = pods.find(|pod| pod.ready);
    let seen = ready.and_then(|pod| {
        let (version, claim) = (pod.version?, pod.claim.clone()?);
        let uid = observed.claims.get(&claim)?.known()?.uid.clone();
        let version = Some(version.to_string());
        Some(VolumeStatus { claim: Some(claim), uid: Some(uid), version })
    });
    seen.or_else(|| previous.volume.clone())
}

/// Returns what the volume may hold of what the spec asked for. It is never taken back: a pod that
/// never became ready may have left it there, too.
pub(super) fn installed(
    resolved: Option<&Resolved>,
    previous: &OpenClawInstanceStatus,
) -> Option<InstalledStatus> {
    let known = previous.installed;
    let asked = resolved.and_then(|resolved| resolved.extensions.as_ref());
    let Some(asked) = asked.filter(|extensions| extensions.had.outlasts_a_pod) else {
        return known;
    };
    let known = known.unwrap_or_default();
    let skills = asked.has_skills() || known.skills == Some(true);
    let plugins = asked.has_plugins() || known.plugins == Some(true);
    Some(InstalledStatus { skills: skills.then_some(true), plugins: plugins.then_some(true) })
}
