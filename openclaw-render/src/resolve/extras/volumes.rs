//! Volumes of the user's: each has a name of its own and one source, and that is there.

use k8s_openapi::api::core::v1::{KeyToPath, Volume};
use serde_json::Value;

use super::{check_label, projections};
use crate::api::ConditionType::{SecretsReady, StorageReady};
use crate::api::OpenClawInstanceSpec;
use crate::api::schema::bounds::ACCESS_MODES;
use crate::object::Kind;
use crate::problem::Severity;
use crate::quantity;
use crate::resolve::context::{Reference, Resolving};
use crate::vocab::names;

/// What may be expected at a path of a node, if anything is.
const HOST_PATHS: [&str; 7] = [
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// Returns the volumes, each name once.
pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Vec<Volume> {
    let mut volumes: Vec<Volume> = Vec::new();
    let lists = [
        ("spec.sidecarVolumes", &spec.sidecar_volumes),
        ("spec.extraVolumes", &spec.extra_volumes),
    ];
    for (field, list) in lists {
        for (index, volume) in list.iter().flatten().enumerate() {
            let path = format!("{field}[{index}]");
            let name = &volume.name;
            if volumes.iter().any(|other| other.name == *name) {
                cx.error(
                    format!("{path}.name"),
                    format!("{name:?} names another volume already: rename one of the two"),
                );
                continue;
            }
            check_name(&path, name, cx);
            check(&path, volume, cx);
            volumes.push(volume.clone());
        }
    }
    volumes
}

fn check_name(path: &str, name: &str, cx: &mut Resolving<'_>) {
    if name == names::DATA_VOLUME {
        cx.error(
            format!("{path}.name"),
            "is the volume of the agent's state: mount that without declaring it, or rename yours",
        );
    } else {
        check_label(path, "volume", name, cx);
    }
}

fn check(path: &str, volume: &Volume, cx: &mut Resolving<'_>) {
    let value = serde_json::to_value(volume).unwrap_or_default();
    let sources: Vec<&str> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, _)| field.as_str())
        .filter(|field| *field != "name")
        .collect();
    match sources.as_slice() {
        [_] => {}
        [] => cx.error(path, "has no source: add one, for example `emptyDir: {}`"),
        several => cx.error(
            path,
            format!("has {} sources ({}): leave one", several.len(), several.join(", ")),
        ),
    }
    check_modes(path, &value, cx);
    check_files(path, volume, cx);
    if volume.host_path.is_some() {
        cx.risk(
            format!("{path}.hostPath"),
            "gives the pod files of its node; a namespace that enforces the baseline or restricted \
             Pod Security Standard refuses the pod",
        );
    }
    if volume.git_repo.is_some() {
        cx.error(
            format!("{path}.gitRepo"),
            "is not served by Kubernetes any more: clone in an init container into an `emptyDir`",
        );
    }
    check_empty(path, volume, cx);
    check_ephemeral(path, volume, cx);
    projections::check(path, volume, cx);
    check_references(path, volume, cx);
}

fn check_empty(path: &str, volume: &Volume, cx: &mut Resolving<'_>) {
    let Some(source) = &volume.empty_dir else { return };
    let path = format!("{path}.emptyDir");
    if let Some(limit) = &source.size_limit
        && quantity::parse(&limit.0).is_ok_and(quantity::Quantity::is_negative)
    {
        cx.error(format!("{path}.sizeLimit"), format!("{:?} is negative", limit.0));
    }
    let medium = source.medium.as_deref().unwrap_or_default();
    let pages = medium.strip_prefix("HugePages");
    let is_known = matches!(medium, "" | "Memory")
        || pages.is_some_and(|size| size.is_empty() || size.starts_with('-'));
    if !is_known {
        cx.error(
            format!("{path}.medium"),
            format!("{medium:?} is not a choice: use `Memory` or `HugePages`, or remove it"),
        );
    }
}

/// A claim that comes and goes with the pod.
fn check_ephemeral(path: &str, volume: &Volume, cx: &mut Resolving<'_>) {
    let Some(source) = &volume.ephemeral else { return };
    let path = format!("{path}.ephemeral.volumeClaimTemplate");
    let Some(template) = &source.volume_claim_template else {
        cx.error(path, "is missing: write the claim that is to be made");
        return;
    };
    let path = format!("{path}.spec");
    let modes = template.spec.access_modes.as_deref().unwrap_or_default();
    if modes.is_empty() {
        cx.error(
            format!("{path}.accessModes"),
            "is missing: name a mode, for example `ReadWriteOnce`",
        );
    }
    for (index, mode) in
        modes.iter().enumerate().filter(|(_, it)| !ACCESS_MODES.contains(&it.as_str()))
    {
        cx.error(
            format!("{path}.accessModes[{index}]"),
            format!("{mode:?} is not a choice: use one of {}", ACCESS_MODES.join(", ")),
        );
    }
    let requests = template.spec.resources.as_ref().and_then(|it| it.requests.as_ref());
    let size = requests.and_then(|requests| requests.get("storage"));
    let path = format!("{path}.resources.requests.storage");
    match size.map(|size| (size, quantity::parse(&size.0).map(quantity::Quantity::nanos))) {
        None => cx.error(path, "is missing: write the size of the volume, for example `1Gi`"),
        Some((_, Ok(nanos))) if nanos > 0 => {}
        Some((size, _)) => {
            cx.error(path, format!("{:?} is no size of a volume: write for example `1Gi`", size.0));
        }
    }
}

/// Names of files in the volume, and of the place on the node.
fn check_files(path: &str, volume: &Volume, cx: &mut Resolving<'_>) {
    let mut lists: Vec<(String, &Vec<KeyToPath>)> = Vec::new();
    let secret = volume.secret.as_ref().and_then(|it| it.items.as_ref());
    lists.extend(secret.map(|items| (format!("{path}.secret"), items)));
    let map = volume.config_map.as_ref().and_then(|it| it.items.as_ref());
    lists.extend(map.map(|items| (format!("{path}.configMap"), items)));
    let projected = volume.projected.as_ref().and_then(|projected| projected.sources.as_ref());
    for (index, source) in projected.into_iter().flatten().enumerate() {
        let path = format!("{path}.projected.sources[{index}]");
        let secret = source.secret.as_ref().and_then(|it| it.items.as_ref());
        lists.extend(secret.map(|items| (format!("{path}.secret"), items)));
        let map = source.config_map.as_ref().and_then(|it| it.items.as_ref());
        lists.extend(map.map(|items| (format!("{path}.configMap"), items)));
    }
    for (path, items) in lists {
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}.items[{index}]");
            if item.key.is_empty() {
                cx.error(format!("{path}.key"), "is missing: name a key");
            }
            projections::check_path(&format!("{path}.path"), &item.path, cx);
        }
    }
    let Some(host) = &volume.host_path else { return };
    if host.path.is_empty() || host.path.split('/').any(|step| step == "..") {
        cx.error(
            format!("{path}.hostPath.path"),
            format!("{:?} is no path of a node: write one without `..`", host.path),
        );
    }
    let kind = host.type_.as_deref().unwrap_or_default();
    if !kind.is_empty() && !HOST_PATHS.contains(&kind) {
        cx.error(
            format!("{path}.hostPath.type"),
            format!("{kind:?} is not a choice: use one of {}", HOST_PATHS.join(", ")),
        );
    }
}

/// Permission bits of files, wherever the source gives them.
fn check_modes(path: &str, value: &Value, cx: &mut Resolving<'_>) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                let path = format!("{path}.{field}");
                let is_mode = matches!(field.as_str(), "defaultMode" | "mode");
                match inner.as_i64().filter(|_| is_mode) {
                    Some(mode) if !(0..=0o777).contains(&mode) => cx.error(
                        path,
                        format!("{mode} is no file mode: write 0 to 0777 octal, 0 to 511 decimal"),
                    ),
                    _ => check_modes(&path, inner, cx),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_modes(&format!("{path}[{index}]"), item, cx);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Something that must exist before the kubelet can mount the volume.
struct Source<'a> {
    path: String,
    kind: Kind,
    name: &'a str,
    optional: Option<bool>,
    items: Option<&'a Vec<KeyToPath>>,
}

fn check_references(path: &str, volume: &Volume, cx: &mut Resolving<'_>) {
    let mut sources = Vec::new();
    let mut add = |path: String, kind, name, optional, items| {
        sources.push(Source { path, kind, name, optional, items });
    };
    if let Some(map) = &volume.config_map {
        let path = format!("{path}.configMap.name");
        add(path, Kind::ConfigMap, map.name.as_str(), map.optional, map.items.as_ref());
    }
    if let Some(secret) = &volume.secret {
        let name = secret.secret_name.as_deref().unwrap_or_default();
        let path = format!("{path}.secret.secretName");
        add(path, Kind::Secret, name, secret.optional, secret.items.as_ref());
    }
    let projected = volume.projected.as_ref().and_then(|projected| projected.sources.as_ref());
    for (index, source) in projected.into_iter().flatten().enumerate() {
        let path = format!("{path}.projected.sources[{index}]");
        if let Some(map) = &source.config_map {
            let path = format!("{path}.configMap.name");
            add(path, Kind::ConfigMap, &map.name, map.optional, map.items.as_ref());
        }
        if let Some(secret) = &source.secret {
            let path = format!("{path}.secret.name");
            add(path, Kind::Secret, &secret.name, secret.optional, secret.items.as_ref());
        }
    }
    for source in sources {
        cx.about(SecretsReady, |cx| check_reference(&source, cx));
    }
    if let Some(claim) = &volume.persistent_volume_claim {
        let path = format!("{path}.persistentVolumeClaim.claimName");
        cx.about(StorageReady, |cx| check_claim(&path, &claim.claim_name, cx));
    }
}

fn check_reference(source: &Source<'_>, cx: &mut Resolving<'_>) {
    let Source { path, kind, name, optional, items } = source;
    if name.is_empty() {
        cx.error(path.as_str(), format!("names no {kind}: fill it in or remove the volume"));
        return;
    }
    let reference = Reference {
        path,
        name,
        // The kubelet starts no pod that it cannot mount this in.
        missing: (*optional != Some(true)).then_some(Severity::WillNotStart),
        unseen: "whether it is there could not be checked",
    };
    let is_secret = *kind == Kind::Secret;
    let seen = if is_secret { cx.secret(reference) } else { cx.config_map(reference) };
    let Some(data) = seen else { return };
    let keys = items.iter().flat_map(|items| items.iter()).map(|item| &item.key);
    for key in keys.filter(|key| !data.contains_key(*key)) {
        cx.lacks_key(*kind, reference, key);
    }
}

fn check_claim(path: &str, name: &str, cx: &mut Resolving<'_>) {
    if name.is_empty() {
        cx.error(path, "names no claim: fill it in or remove the volume");
        return;
    }
    let unseen = "whether it is there could not be checked";
    let missing = Some(Severity::WillNotStart);
    cx.claim(Reference { path, name, missing, unseen });
}
