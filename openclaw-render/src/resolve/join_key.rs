//! The key by which a sidecar joins a network, in a Secret of the user's.

use k8s_openapi::api::core::v1::{LocalObjectReference, SecretKeySelector};

use super::context::{Reference, Resolving};
use super::defaults::text;
use crate::hash::Hasher;
use crate::object::Kind;
use crate::problem::Severity;

/// What is asked for, and of whom.
pub(super) struct Asked<'a> {
    /// The sidecar's container.
    pub(super) container: &'static str,
    /// The network, for people.
    pub(super) network: &'static str,
    /// Path of the reference in the spec.
    pub(super) path: &'static str,
    pub(super) secret: Option<&'a LocalObjectReference>,
    pub(super) key: Option<&'a String>,
    /// Key in the Secret by default.
    pub(super) default_key: &'static str,
}

/// Looks at the key. Returns it, and the hash of what it holds. The container starts without it, too:
/// one that has joined needs it no more.
pub(super) fn resolve(
    asked: &Asked<'_>,
    cx: &mut Resolving<'_>,
) -> (Option<SecretKeySelector>, Option<String>) {
    let &Asked { container, network, path, secret, key, default_key } = asked;
    let Some(name) = secret.map(|secret| &secret.name).filter(|name| !name.is_empty()) else {
        cx.ineffective(
            path,
            format!(
                "names no Secret: someone must admit the agent to the {network} by the address in \
                 the log of container `{container}`"
            ),
        );
        return (None, None);
    };
    let key = text(key).unwrap_or(default_key);
    let reference = Reference {
        path,
        name,
        missing: Some(Severity::Advice),
        unseen: "changes of it are not part of this rendering",
    };
    let seen = cx.secret(reference);
    let value = seen.and_then(|seen| seen.get(key));
    if seen.is_some() && value.is_none() {
        cx.lacks_key(Kind::Secret, reference, key);
    }
    let hash = value.map(|value| {
        let mut hasher = Hasher::default();
        hasher.field(&[container, name, key, value]);
        hasher.finish()
    });
    let selector =
        SecretKeySelector { key: key.to_owned(), name: name.clone(), optional: Some(true) };
    (Some(selector), hash)
}
