//! The agent's environment: the user's entries, and what the pod may start without.

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar};

use super::{Auth, GatewayToken};
use crate::api::OpenClawInstanceSpec;
use crate::hash::Hasher;
use crate::observed::{Fact, Observed};
use crate::problem::{Problem, Rule};
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
struct Reference<'a> {
    path: String,
    kind: &'static str,
    name: &'a str,
    key: Option<&'a str>,
    optional: bool,
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    observed: &Observed,
    auth: Auth,
    token: &GatewayToken,
    problems: &mut Vec<Problem>,
) -> Environment {
    let entries = entries(spec, auth, problems);
    let sources = spec.env_from.clone().unwrap_or_default();
    let mut references = references(&entries, &sources, problems);
    let mut own_token = None;
    if auth == Auth::SecretToken {
        match token {
            GatewayToken::Own { hash, .. } => own_token = hash.as_deref(),
            GatewayToken::Existing(name) => references.push(Reference {
                path: "spec.gateway.existingSecret".to_owned(),
                kind: "Secret",
                name,
                key: Some(names::TOKEN_KEY),
                optional: false,
            }),
        }
    }
    let hash = hash(&references, own_token, observed, problems);
    Environment { entries, sources, hash }
}

/// Whether the user's own entry gives the agent a gateway token.
pub(super) fn own_token(spec: &OpenClawInstanceSpec) -> bool {
    let own = |entry: &EnvVar| entry.name == env::GATEWAY_TOKEN && !is_empty(entry);
    spec.env.iter().flatten().any(own)
}

fn is_empty(entry: &EnvVar) -> bool {
    entry.value_from.is_none() && entry.value.as_deref().is_none_or(str::is_empty)
}

/// What is to be said about a gateway token among the user's entries.
fn token_of_the_user(auth: Auth, path: String) -> Problem {
    match auth {
        Auth::SecretToken | Auth::OwnToken => Problem::advice(
            path,
            Rule::Ineffective,
            "wins, and the Secret of the gateway's token opens nothing: put this token into a \
             Secret under the key `token` and name that in `spec.gateway.existingSecret`",
        ),
        Auth::TrustedProxy => Problem::will_not_start(
            path,
            "a token in the environment and mode `trusted-proxy` exclude each other: remove the \
             entry",
        ),
        Auth::Configured => Problem::advice(
            path,
            Rule::Ineffective,
            "opens nothing: `gateway.auth` in openclaw.json says how clients prove who they are",
        ),
    }
}

/// The kubelet takes the last entry of a name, server-side apply refuses two: the last one stays,
/// in the place of the first.
fn entries(spec: &OpenClawInstanceSpec, auth: Auth, problems: &mut Vec<Problem>) -> Vec<EnvVar> {
    let mut entries: Vec<EnvVar> = Vec::new();
    for (index, entry) in spec.env.iter().flatten().enumerate() {
        let path = format!("spec.env[{index}].name");
        if entry.name.is_empty() || entry.name.contains(['=', '\0']) {
            problems.push(Problem::error(
                path,
                Rule::Invalid,
                format!("{:?} is not a name: it must not be empty or contain `=`", entry.name),
            ));
            continue;
        }
        if entry.value.is_some() && entry.value_from.is_some() {
            problems.push(Problem::error(
                format!("spec.env[{index}]"),
                Rule::Invalid,
                format!("{:?} has `value` and `valueFrom`: remove one of the two", entry.name),
            ));
        }
        let token = entry.name == env::GATEWAY_TOKEN;
        if env::PROTECTED.contains(&entry.name.as_str()) || token && is_empty(entry) {
            problems.push(Problem::advice(
                path,
                Rule::Ineffective,
                format!("has no effect: {} belongs to the operator", entry.name),
            ));
            continue;
        }
        if token {
            problems.push(token_of_the_user(auth, path.clone()));
        }
        if let Some(first) = entries.iter_mut().find(|other| other.name == entry.name) {
            problems.push(Problem::advice(
                path,
                Rule::Ineffective,
                format!("{} is set twice: this, the last entry, counts", entry.name),
            ));
            first.clone_from(entry);
            continue;
        }
        entries.push(entry.clone());
    }
    entries
}

fn references<'a>(
    entries: &'a [EnvVar],
    sources: &'a [EnvFromSource],
    problems: &mut Vec<Problem>,
) -> Vec<Reference<'a>> {
    let mut references = Vec::new();
    for entry in entries {
        let Some(source) = &entry.value_from else { continue };
        if let Some(secret) = &source.secret_key_ref {
            references.push(Reference {
                path: format!("spec.env[name={}].valueFrom.secretKeyRef", entry.name),
                kind: "Secret",
                name: &secret.name,
                key: Some(&secret.key),
                optional: secret.optional.unwrap_or(false),
            });
        }
        if let Some(map) = &source.config_map_key_ref {
            references.push(Reference {
                path: format!("spec.env[name={}].valueFrom.configMapKeyRef", entry.name),
                kind: "ConfigMap",
                name: &map.name,
                key: Some(&map.key),
                optional: map.optional.unwrap_or(false),
            });
        }
    }
    for (index, source) in sources.iter().enumerate() {
        match (&source.secret_ref, &source.config_map_ref) {
            (Some(secret), None) => references.push(Reference {
                path: format!("spec.envFrom[{index}].secretRef"),
                kind: "Secret",
                name: &secret.name,
                key: None,
                optional: secret.optional.unwrap_or(false),
            }),
            (None, Some(map)) => references.push(Reference {
                path: format!("spec.envFrom[{index}].configMapRef"),
                kind: "ConfigMap",
                name: &map.name,
                key: None,
                optional: map.optional.unwrap_or(false),
            }),
            _ => problems.push(Problem::error(
                format!("spec.envFrom[{index}]"),
                Rule::Invalid,
                "must have exactly one of `configMapRef` and `secretRef`",
            )),
        }
    }
    references
}

fn hash(
    references: &[Reference<'_>],
    own_token: Option<&str>,
    observed: &Observed,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let mut hasher = Hasher::default();
    let mut anything = own_token.is_some();
    hasher.field(&[own_token.unwrap_or_default()]);
    for reference in references {
        let Reference { path, kind, name, key, optional } = reference;
        if name.is_empty() || *key == Some("") {
            problems.push(Problem::error(
                path.as_str(),
                Rule::Invalid,
                format!("names no {kind} or no key of it: fill in both or remove the entry"),
            ));
            continue;
        }
        let source = if *kind == "Secret" { &observed.secrets } else { &observed.config_maps };
        match source.get(*name).unwrap_or(&Fact::Unknown) {
            Fact::Known(data) => {
                anything = true;
                let values =
                    data.iter().filter(|(each, _)| key.is_none_or(|key| each.as_str() == key));
                for (each, value) in values.clone() {
                    hasher.field(&[kind, name, each, value]);
                }
                if let Some(key) = key.filter(|_| !optional && values.count() == 0) {
                    problems.push(missing(path, format!("{kind} {name:?} has no key {key:?}")));
                }
            }
            Fact::Absent if *optional => {}
            Fact::Absent => problems
                .push(missing(path, format!("{kind} {name:?} does not exist in this namespace"))),
            Fact::Unknown => problems.push(Problem::advice(
                path.as_str(),
                Rule::Unknown,
                format!(
                    "{kind} {name:?} was not seen: changes of it are not part of this rendering"
                ),
            )),
        }
    }
    anything.then(|| hasher.finish())
}

/// The kubelet makes no container whose environment it cannot fill.
fn missing(path: &str, message: String) -> Problem {
    Problem { rule: Rule::Missing, ..Problem::will_not_start(path, message) }
}
