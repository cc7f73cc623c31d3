//! Advice where a model is named, and nothing gives the agent a key for its provider.

use serde_json::{Map, Value};

use super::Resolving;
use crate::api::OpenClawInstanceSpec;
use crate::vocab::env::PROVIDER_KEYS;

/// Parts of openclaw.json by which a provider may get along without a variable of a known name.
const OTHER_WAYS: &[&str] = &["auth", "env", "models", "plugins", "secrets"];
/// What runs a model in the cluster, or gets its key from the node.
const WITHOUT_KEY: &[&str] = &["amazon-bedrock/", "bedrock/", "google-vertex/", "ollama/", "vllm/"];

pub(super) fn check(
    spec: &OpenClawInstanceSpec,
    document: &Map<String, Value>,
    path: &str,
    cx: &mut Resolving<'_>,
) {
    let Some(model) = model(document) else { return };
    let in_config = OTHER_WAYS.iter().any(|key| document.get(*key).is_some_and(|at| !at.is_null()));
    let keyless = WITHOUT_KEY.iter().any(|prefix| model.starts_with(prefix));
    if in_config || keyless || may_have_key(spec, cx) {
        return;
    }
    cx.ineffective(
        format!("{path}.agents.defaults.model"),
        "nothing in the spec gives the agent a key for the model's provider: put one into a Secret \
         and name that in `spec.envFrom`, for example with the key ANTHROPIC_API_KEY; ignore this \
         if somebody signs in from within the agent",
    );
}

/// The model that every agent uses.
fn model(document: &Map<String, Value>) -> Option<&str> {
    let model = document.get("agents")?.get("defaults")?.get("model")?;
    model.as_str().or_else(|| model.get("primary")?.as_str())
}

/// Whether the environment may hold a provider's key. What was not seen may.
fn may_have_key(spec: &OpenClawInstanceSpec, cx: &Resolving<'_>) -> bool {
    let known = |name: &str| PROVIDER_KEYS.contains(&name);
    let by_entry = spec.env.iter().flatten().any(|entry| {
        let from_secret =
            entry.value_from.as_ref().is_some_and(|from| from.secret_key_ref.is_some());
        from_secret || known(&entry.name)
    });
    let by_source = spec.env_from.iter().flatten().any(|source| {
        let prefix = source.prefix.as_deref().unwrap_or_default();
        let secret = source.secret_ref.as_ref().map(|it| cx.secret_if_seen(&it.name));
        let config_map = source
            .config_map_ref
            .as_ref()
            .map(|it| cx.observed.config_maps.get(&it.name).and_then(crate::observed::Fact::known));
        [secret, config_map].into_iter().flatten().any(|keys| {
            keys.is_none_or(|keys| keys.keys().any(|key| known(&format!("{prefix}{key}"))))
        })
    });
    let local = spec.ollama.as_ref().and_then(|each| each.enabled).unwrap_or(false);
    let rbac = spec.security.as_ref().and_then(|security| security.rbac.as_ref());
    let identity = rbac.and_then(|rbac| rbac.service_account_annotations.as_ref());
    by_entry || by_source || local || identity.is_some_and(|notes| !notes.is_empty())
}
