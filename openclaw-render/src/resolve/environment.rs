//! The agent's environment: the user's entries, and what the pod may start without.

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar};

use super::context::{Reference, Resolving};
use super::{Auth, GatewayToken, sources};
use crate::api::{ConditionType, OpenClawInstanceSpec};
use crate::hash::Hasher;
use crate::object::Kind;
use crate::problem::Severity;
use crate::vocab::grammar::{is_env_name, is_subdomain};
use crate::vocab::{env, names};

/// What the user puts into the agent's environment, and a hash of what it refers to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Environment {
    /// Entries, one per name, in the user's order.
    pub(crate) entries: Vec<EnvVar>,
    /// Whole ConfigMaps and Secrets.
    pub(crate) sources: Vec<EnvFromSource>,
    /// Hash of everything that the two refer to and of the gateway's token: another value needs
    /// another process. `None` when nothing of it is known.
    pub(crate) hash: Option<String>,
}

/// Something that the environment takes a value from.
struct Source<'a> {
    path: String,
    kind: Kind,
    name: &'a str,
    key: Option<&'a str>,
    optional: bool,
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    auth: Auth,
    token: &GatewayToken,
    cx: &mut Resolving<'_>,
) -> Environment {
    let entries = entries(spec, auth, cx);
    let whole = spec.env_from.clone().unwrap_or_default();
    let mut sources = of_entries("spec.env", &entries);
    sources.extend(of_whole("spec", &whole, cx));
    let mut made_token = None;
    if auth == Auth::SecretToken {
        match token {
            GatewayToken::Made { hash, .. } => made_token = hash.as_deref(),
            GatewayToken::Existing(name) => sources.push(Source {
                path: "spec.gateway.existingSecret".to_owned(),
                kind: Kind::Secret,
                name,
                key: Some(names::TOKEN_KEY),
                optional: false,
            }),
        }
    }
    let hash = cx.about(ConditionType::SecretsReady, |cx| hash(&sources, made_token, cx));
    Environment { entries, sources: whole, hash }
}

/// Looks at all that a container of the user's takes values from. Returns a hash of it, `None` when
/// nothing of it is known.
pub(super) fn of_container(
    path: &str,
    container: &Container,
    cx: &mut Resolving<'_>,
) -> Option<String> {
    let entries = container.env.as_deref().unwrap_or_default();
    let whole = container.env_from.as_deref().unwrap_or_default();
    let mut sources = of_entries(&format!("{path}.env"), entries);
    sources.extend(of_whole(path, whole, cx));
    cx.about(ConditionType::SecretsReady, |cx| hash(&sources, None, cx))
}

/// Whether the user's own entry gives the agent a gateway token.
pub(super) fn users_token(spec: &OpenClawInstanceSpec) -> bool {
    let gives_token = |entry: &EnvVar| entry.name == env::GATEWAY_TOKEN && !is_empty(entry);
    spec.env.iter().flatten().any(gives_token)
}

fn is_empty(entry: &EnvVar) -> bool {
    entry.value_from.is_none() && entry.value.as_deref().is_none_or(str::is_empty)
}

/// Says what becomes of a gateway token among the user's entries.
fn check_token(auth: Auth, path: &str, cx: &mut Resolving<'_>) {
    match auth {
        Auth::SecretToken | Auth::UsersToken => cx.ineffective(
            path,
            "wins, and the Secret of the gateway's token opens nothing: put this token into a \
             Secret under the key `token` and name that in `spec.gateway.existingSecret`",
        ),
        Auth::TrustedProxy => cx.will_not_start(
            path,
            "a token in the environment and mode `trusted-proxy` exclude each other: remove the \
             entry",
        ),
        Auth::Configured => cx.ineffective(
            path,
            "opens nothing: `gateway.auth` in openclaw.json says how clients prove who they are",
        ),
    }
}

/// The kubelet takes the last entry of a name, server-side apply refuses two: the last one stays,
/// in the place of the first.
fn entries(spec: &OpenClawInstanceSpec, auth: Auth, cx: &mut Resolving<'_>) -> Vec<EnvVar> {
    let mut entries: Vec<EnvVar> = Vec::new();
    for (index, entry) in spec.env.iter().flatten().enumerate() {
        let path = format!("spec.env[{index}].name");
        // Refused by the limits of the API.
        if !is_env_name(&entry.name) {
            continue;
        }
        sources::check(&format!("spec.env[{index}]"), entry, cx);
        let token = entry.name == env::GATEWAY_TOKEN;
        if env::PROTECTED.contains(&entry.name.as_str()) || token && is_empty(entry) {
            cx.ineffective(path, format!("has no effect: {} belongs to the operator", entry.name));
            continue;
        }
        if token {
            check_token(auth, &path, cx);
        }
        keep(entry, path, &mut entries, cx);
    }
    entries
}

/// Returns variables of a helper's container, one per name, and a hash of what they refer to.
pub(super) fn of_helper(
    path: &str,
    given: Option<&Vec<EnvVar>>,
    cx: &mut Resolving<'_>,
) -> (Vec<EnvVar>, Option<String>) {
    let mut entries: Vec<EnvVar> = Vec::new();
    for (index, entry) in given.into_iter().flatten().enumerate() {
        let path = format!("{path}[{index}]");
        // Refused by the limits of the API.
        if !is_env_name(&entry.name) {
            continue;
        }
        sources::check(&path, entry, cx);
        keep(entry, format!("{path}.name"), &mut entries, cx);
    }
    let sources = of_entries(path, &entries);
    let hash = cx.about(ConditionType::SecretsReady, |cx| hash(&sources, None, cx));
    (entries, hash)
}

/// Keeps an entry; of two with one name the last one stays, in the place of the first.
fn keep(entry: &EnvVar, path: String, entries: &mut Vec<EnvVar>, cx: &mut Resolving<'_>) {
    if let Some(first) = entries.iter_mut().find(|other| other.name == entry.name) {
        cx.ineffective(path, format!("{} is set twice: this, the last entry, counts", entry.name));
        *first = plain(entry);
    } else {
        entries.push(plain(entry));
    }
}

/// Returns an entry as the API server keeps it: an empty value beside a source is none.
fn plain(entry: &EnvVar) -> EnvVar {
    let is_kept = |value: &String| !value.is_empty() || entry.value_from.is_none();
    EnvVar { value: entry.value.clone().filter(is_kept), ..entry.clone() }
}

fn of_entries<'a>(path: &str, entries: &'a [EnvVar]) -> Vec<Source<'a>> {
    let mut sources = Vec::new();
    for entry in entries {
        let Some(source) = &entry.value_from else { continue };
        let path = format!("{path}[name={}].valueFrom", entry.name);
        if let Some(secret) = &source.secret_key_ref {
            sources.push(Source {
                path: format!("{path}.secretKeyRef"),
                kind: Kind::Secret,
                name: &secret.name,
                key: Some(&secret.key),
                optional: secret.optional.unwrap_or(false),
            });
        }
        if let Some(map) = &source.config_map_key_ref {
            sources.push(Source {
                path: format!("{path}.configMapKeyRef"),
                kind: Kind::ConfigMap,
                name: &map.name,
                key: Some(&map.key),
                optional: map.optional.unwrap_or(false),
            });
        }
    }
    sources
}

fn of_whole<'a>(path: &str, whole: &'a [EnvFromSource], cx: &mut Resolving<'_>) -> Vec<Source<'a>> {
    let mut sources = Vec::new();
    for (index, source) in whole.iter().enumerate() {
        sources::check_whole(&format!("{path}.envFrom[{index}]"), source, cx);
        match (&source.secret_ref, &source.config_map_ref) {
            (Some(secret), None) => sources.push(Source {
                path: format!("{path}.envFrom[{index}].secretRef"),
                kind: Kind::Secret,
                name: &secret.name,
                key: None,
                optional: secret.optional.unwrap_or(false),
            }),
            (None, Some(map)) => sources.push(Source {
                path: format!("{path}.envFrom[{index}].configMapRef"),
                kind: Kind::ConfigMap,
                name: &map.name,
                key: None,
                optional: map.optional.unwrap_or(false),
            }),
            _ => cx.error(
                format!("{path}.envFrom[{index}]"),
                "must have exactly one of `configMapRef` and `secretRef`",
            ),
        }
    }
    sources
}

/// Looks at all that the environment takes values from.
fn hash(
    sources: &[Source<'_>],
    made_token: Option<&str>,
    cx: &mut Resolving<'_>,
) -> Option<String> {
    let mut hasher = Hasher::default();
    let mut anything = made_token.is_some();
    hasher.field(&[made_token.unwrap_or_default()]);
    for Source { path, kind, name, key, optional } in sources {
        if name.is_empty() || *key == Some("") {
            cx.error(
                path.as_str(),
                format!("names no {kind} or no key of it: fill in both or remove the entry"),
            );
            continue;
        }
        // Refused where it is written.
        if !is_subdomain(name) {
            continue;
        }
        let reference = Reference {
            path,
            name,
            // The kubelet makes no container whose environment it cannot fill.
            missing: (!optional).then_some(Severity::WillNotStart),
            unseen: "changes of it are not part of this rendering",
        };
        let is_secret = *kind == Kind::Secret;
        let seen = if is_secret { cx.secret(reference) } else { cx.config_map(reference) };
        let Some(data) = seen else { continue };
        anything = true;
        let values = data.iter().filter(|(each, _)| key.is_none_or(|key| each.as_str() == key));
        for (each, value) in values.clone() {
            hasher.field(&[kind.as_str(), name, each, value]);
        }
        if let Some(key) = key.filter(|_| values.count() == 0) {
            cx.lacks_key(*kind, reference, key);
        }
    }
    anything.then(|| hasher.finish())
}
