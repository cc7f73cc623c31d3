//! Certificates that the pod's containers trust besides those of their images.

use std::collections::BTreeSet;

use super::context::{Reference, Resolving};
use super::defaults::text;
use crate::api::ConditionType::SecretsReady;
use crate::api::OpenClawInstanceSpec;
use crate::hash::Hasher;
use crate::object::Kind;
use crate::problem::Severity;
use crate::vocab::names;

/// Key of the certificates by default.
const KEY: &str = "ca-bundle.crt";
/// How a certificate begins.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// The certificates.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CaBundle {
    pub(crate) source: BundleSource,
    pub(crate) key: String,
    /// Name of their volume: one that no volume of the user's has.
    pub(crate) volume: String,
    /// Hash of their content, if that is known.
    pub(crate) hash: Option<String>,
}

/// Where the certificates are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BundleSource {
    /// In a ConfigMap of this name.
    ConfigMap(String),
    /// In a Secret of this name.
    Secret(String),
}

/// Returns the bundle, if there is one, and reports one that comes from nowhere or from two places.
pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Option<CaBundle> {
    let bundle = spec.security.as_ref().and_then(|each| each.ca_bundle.as_ref())?;
    let path = "spec.security.caBundle";
    let key = text(bundle.key.as_ref()).unwrap_or(KEY);
    let map = text(bundle.config_map_name.as_ref());
    let source = match (map, text(bundle.secret_name.as_ref())) {
        (Some(map), None) => BundleSource::ConfigMap(map.to_owned()),
        (None, Some(secret)) => BundleSource::Secret(secret.to_owned()),
        _ => {
            cx.error(path, "must have exactly one of `configMapName` and `secretName`");
            return None;
        }
    };
    if spec.chromium.as_ref().and_then(|chromium| chromium.enabled) == Some(true) {
        cx.ineffective(
            path,
            "is not what the browser goes by: Chromium has a list of its own, and refuses pages \
             whose certificate only this bundle knows",
        );
    }
    let hash = cx.about(SecretsReady, |cx| content(path, &source, key, cx));
    Some(CaBundle { source, key: key.to_owned(), volume: volume(spec), hash })
}

/// Whoever declares a volume of our name means that one, wherever it is mounted.
fn volume(spec: &OpenClawInstanceSpec) -> String {
    let users: BTreeSet<&str> = [&spec.sidecar_volumes, &spec.extra_volumes]
        .into_iter()
        .flatten()
        .flatten()
        .map(|volume| volume.name.as_str())
        .collect();
    let ours = names::CA_BUNDLE_VOLUME;
    let others = (2..users.len() + 3).map(|turn| format!("{ours}-{turn}"));
    let mut names = [ours.to_owned()].into_iter().chain(others);
    names.find(|name| !users.contains(name.as_str())).unwrap_or_else(|| ours.to_owned())
}

/// Looks at the certificates, and returns their hash.
fn content(path: &str, source: &BundleSource, key: &str, cx: &mut Resolving<'_>) -> Option<String> {
    let (kind, name, field) = match source {
        BundleSource::ConfigMap(name) => (Kind::ConfigMap, name, "configMapName"),
        BundleSource::Secret(name) => (Kind::Secret, name, "secretName"),
    };
    let path = format!("{path}.{field}");
    let reference = Reference {
        path: &path,
        name,
        // The kubelet starts no pod whose volumes it cannot fill.
        missing: Some(Severity::WillNotStart),
        unseen: "changes of it are not part of this rendering",
    };
    let seen = if kind == Kind::Secret { cx.secret(reference) } else { cx.config_map(reference) }?;
    let Some(value) = seen.get(key) else {
        cx.lacks_key(kind, reference, key);
        return None;
    };
    // Of a Secret only a hash is known.
    if kind == Kind::ConfigMap && !value.contains(BEGIN) {
        cx.ineffective(
            path.as_str(),
            format!("has no effect: key {key:?} holds no certificate in PEM form"),
        );
    }
    let mut hasher = Hasher::default();
    hasher.field(&[kind.as_str(), name, key, value]);
    Some(hasher.finish())
}
