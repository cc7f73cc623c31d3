//! Whom containers of the user's run as, and what they may do: what would be refused of it.

use k8s_openapi::api::core::v1::{Container, SecurityContext};

use crate::resolve::context::Resolving;

/// Where the kubelet or the node looks a profile up.
const LOCALHOST: &str = "Localhost";
const PROFILES: [&str; 3] = ["RuntimeDefault", LOCALHOST, "Unconfined"];
const PROC_MOUNTS: [&str; 2] = ["Default", "Unmasked"];
/// The spelling that the API server knows; runtimes know it without the prefix, too.
const SYS_ADMIN: &str = "CAP_SYS_ADMIN";

pub(super) fn check(path: &str, container: &Container, cx: &mut Resolving<'_>) {
    let path = format!("{path}.securityContext");
    if let Some(rights) = &container.security_context {
        check_identity(&path, rights, cx);
        check_escalation(&path, rights, cx);
        check_profiles(&path, rights, cx);
    }
    let rights = container.security_context.clone().unwrap_or_default();
    check_risk(path, rights, cx);
}

fn check_identity(path: &str, rights: &SecurityContext, cx: &mut Resolving<'_>) {
    for (field, id) in [("runAsUser", rights.run_as_user), ("runAsGroup", rights.run_as_group)] {
        if let Some(id) = id.filter(|id| !(0..=i64::from(i32::MAX)).contains(id)) {
            cx.error(format!("{path}.{field}"), format!("{id} is no id: write 0 to {}", i32::MAX));
        }
    }
    let proc_mount = rights.proc_mount.as_deref().filter(|kind| !PROC_MOUNTS.contains(kind));
    if let Some(kind) = proc_mount {
        cx.error(
            format!("{path}.procMount"),
            format!("{kind:?} is not a choice: use one of {}", PROC_MOUNTS.join(", ")),
        );
    }
}

/// Says where a container shall not gain rights that it is given.
fn check_escalation(path: &str, rights: &SecurityContext, cx: &mut Resolving<'_>) {
    if rights.allow_privilege_escalation != Some(false) {
        return;
    }
    if rights.privileged == Some(true) {
        cx.error(
            format!("{path}.allowPrivilegeEscalation"),
            "contradicts `privileged`: remove one of the two",
        );
    }
    let added = rights.capabilities.as_ref().and_then(|it| it.add.as_deref());
    check_added(path, added.unwrap_or_default(), cx);
}

/// Checks the capabilities of a container that may not gain rights.
pub(in crate::resolve) fn check_added(path: &str, added: &[String], cx: &mut Resolving<'_>) {
    if let Some(index) = added.iter().position(|capability| capability == SYS_ADMIN) {
        cx.error(
            format!("{path}.capabilities.add[{index}]"),
            format!(
                "the API server refuses `{SYS_ADMIN}` without `allowPrivilegeEscalation: true`: \
                 remove it, or set that"
            ),
        );
    }
}

fn check_profiles(path: &str, rights: &SecurityContext, cx: &mut Resolving<'_>) {
    let seccomp = rights.seccomp_profile.as_ref();
    let seccomp = seccomp.map(|it| ("seccompProfile", &it.type_, &it.localhost_profile));
    let app_armor = rights.app_armor_profile.as_ref();
    let app_armor = app_armor.map(|it| ("appArmorProfile", &it.type_, &it.localhost_profile));
    for (field, kind, name) in [seccomp, app_armor].into_iter().flatten() {
        let path = format!("{path}.{field}");
        if !PROFILES.contains(&kind.as_str()) {
            cx.error(
                format!("{path}.type"),
                format!("{kind:?} is none of `RuntimeDefault`, `Localhost` and `Unconfined`"),
            );
        } else if kind != LOCALHOST && name.is_some() {
            cx.error(
                format!("{path}.localhostProfile"),
                format!("is for `type: {LOCALHOST}` alone: remove it, or write that"),
            );
        } else if kind == LOCALHOST && name.as_ref().is_none_or(|name| name.trim().is_empty()) {
            cx.error(
                format!("{path}.localhostProfile"),
                format!("is missing: name the profile, as `type: {LOCALHOST}` needs one"),
            );
        }
    }
}

/// Says what the container may do that the agent may not.
fn check_risk(path: String, rights: SecurityContext, cx: &mut Resolving<'_>) {
    if rights.privileged == Some(true) {
        cx.risk(path, "is privileged: what runs in it owns the node");
        return;
    }
    let capabilities = rights.capabilities.unwrap_or_default();
    let keeps = !capabilities.drop.iter().flatten().any(|each| each == "ALL");
    let adds = capabilities.add.iter().flatten().any(|each| each != "NET_BIND_SERVICE");
    let lacks: Vec<&str> = [
        (rights.allow_privilege_escalation != Some(false), "`allowPrivilegeEscalation: false`"),
        (keeps, "`capabilities.drop: [ALL]`"),
        (adds, "no added capability"),
        (rights.run_as_non_root == Some(false), "`runAsNonRoot: true`"),
        (rights.run_as_user == Some(0), "a user other than root"),
    ]
    .into_iter()
    .filter_map(|(is_lacking, what)| is_lacking.then_some(what))
    .collect();
    if !lacks.is_empty() {
        cx.risk(
            path,
            format!(
                "lacks {}: a namespace that enforces the restricted Pod Security Standard refuses \
                 the pod",
                lacks.join(", ")
            ),
        );
    }
}
