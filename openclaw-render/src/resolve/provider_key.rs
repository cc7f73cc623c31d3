//! Advice where nothing gives the agent a key for a provider of models.
//!
//! The chart's policy says the same of what stands in the manifest itself
//! (`charts/openclaw-operator/files/policies/advice.yaml`).

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar};
use serde_json::{Map, Value};

use super::Resolving;
use super::defaults::text;
use crate::api::OpenClawInstanceSpec;
use crate::observed::Fact;
use crate::vocab::env::PROVIDER_KEYS;

/// Whose models run in the cluster, get their key from the node, or want a person to sign in.
const WITHOUT_KEY: &[&str] = &[
    "amazon-bedrock/",
    "bedrock/",
    "google-vertex/",
    "lmstudio/",
    "ollama/",
    "openai-codex/",
    "sglang/",
    "vllm/",
];
/// Annotations of a ServiceAccount by which a cloud knows the agent.
const IDENTITIES: &[&str] = &["amazonaws.com/", "gke.io/", "azure.workload.identity/"];
/// How a provider or profile gets along without a key of its own.
const SIGNED_IN: &[&str] = &["aws-sdk", "oauth", "token"];
const INCLUDE: &str = "$include";

pub(super) fn check(
    spec: &OpenClawInstanceSpec,
    document: &Map<String, Value>,
    cx: &mut Resolving<'_>,
) {
    let is_given = spec.env.iter().flatten().any(gives_key)
        || spec.env_from.iter().flatten().any(|source| may_give_key(source, cx))
        || is_known_to_a_cloud(spec)
        || spec.ollama.as_ref().and_then(|each| each.enabled) == Some(true)
        || is_unseen(spec, cx)
        || is_in_configuration(document);
    if !is_given {
        cx.ineffective(
            "spec.envFrom",
            "nothing in the spec gives the agent a key for a provider of models: put one into a \
             Secret and name that here, for example with the key ANTHROPIC_API_KEY; ignore this if \
             somebody signs in from within the agent",
        );
    }
}

/// A Secret is not named for nothing, whatever the variable is called.
fn gives_key(entry: &EnvVar) -> bool {
    let source = entry.value_from.as_ref();
    let is_set = source.is_some() || text(entry.value.as_ref()).is_some();
    source.is_some_and(|source| source.secret_key_ref.is_some()) || is_key(&entry.name) && is_set
}

fn is_key(name: &str) -> bool {
    PROVIDER_KEYS.contains(&name)
}

/// Whether a source of variables may hold a key. What was not seen may.
fn may_give_key(source: &EnvFromSource, cx: &Resolving<'_>) -> bool {
    let prefix = source.prefix.as_deref().unwrap_or_default();
    let secret = source.secret_ref.as_ref().map(|it| cx.secret_if_seen(&it.name));
    let config_map = source.config_map_ref.as_ref();
    let config_map = config_map.map(|it| cx.observed.config_maps.get(&it.name)?.known());
    [secret, config_map].into_iter().flatten().any(|keys| {
        keys.is_none_or(|keys| keys.keys().any(|key| is_key(&format!("{prefix}{key}"))))
    })
}

fn is_known_to_a_cloud(spec: &OpenClawInstanceSpec) -> bool {
    let rbac = spec.security.as_ref().and_then(|security| security.rbac.as_ref());
    let notes = rbac.and_then(|rbac| rbac.service_account_annotations.as_ref());
    notes.is_some_and(|notes| notes.keys().any(|key| IDENTITIES.iter().any(|it| key.contains(it))))
}

/// Whether the configuration is somewhere that nobody has looked.
fn is_unseen(spec: &OpenClawInstanceSpec, cx: &Resolving<'_>) -> bool {
    let source = spec.config.as_ref().and_then(|config| config.config_map_ref.as_ref());
    source.is_some_and(|source| {
        !matches!(cx.observed.config_maps.get(&source.name), Some(Fact::Known(_) | Fact::Absent))
    })
}

/// Whether openclaw.json holds a key, or says how to get along without one.
fn is_in_configuration(document: &Map<String, Value>) -> bool {
    let part = |key: &str| document.get(key).unwrap_or(&Value::Null);
    let is_elsewhere = document.contains_key(INCLUDE)
        || ["auth", "env", "models"].iter().any(|key| part(key).get(INCLUDE).is_some());
    let is_keyless =
        model(document).is_some_and(|model| WITHOUT_KEY.iter().any(|it| model.starts_with(it)));
    let (env, models, auth, secrets) = (part("env"), part("models"), part("auth"), part("secrets"));
    let signs_in = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).is_some_and(|mode| SIGNED_IN.contains(&mode))
    };
    is_elsewhere
        || is_keyless
        || holds_key(env)
        || holds_key(env.get("vars").unwrap_or(&Value::Null))
        || entries(models, "providers").any(|provider| {
            // What the user's own address asks for is not known.
            is_filled(provider, "apiKey")
                || is_filled(provider, "baseUrl")
                || signs_in(provider, "auth")
        })
        || entries(auth, "profiles").any(|profile| signs_in(profile, "mode"))
        || entries(secrets, "providers").next().is_some()
}

/// The values of an object in a part of the configuration.
fn entries<'a>(part: &'a Value, object: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    part.get(object).and_then(Value::as_object).into_iter().flat_map(Map::values)
}

fn holds_key(variables: &Value) -> bool {
    let variables = variables.as_object();
    variables.is_some_and(|all| all.keys().any(|key| is_key(key) && is_filled_in(all, key)))
}

fn is_filled(object: &Value, key: &str) -> bool {
    object.as_object().is_some_and(|object| is_filled_in(object, key))
}

fn is_filled_in(object: &Map<String, Value>, key: &str) -> bool {
    object.get(key).is_some_and(|value| !value.is_null() && value != "")
}

/// The model that every agent uses.
fn model(document: &Map<String, Value>) -> Option<&str> {
    let model = document.get("agents")?.get("defaults")?.get("model")?;
    model.as_str().or_else(|| model.get("primary")?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POLICY: &str =
        include_str!("../../../charts/openclaw-operator/files/policies/advice.yaml");

    #[test]
    fn the_policy_of_the_chart_knows_the_same_names() {
        let quoted: Vec<&str> = POLICY.split('\'').collect();
        let lists = [PROVIDER_KEYS, WITHOUT_KEY, IDENTITIES, SIGNED_IN];
        for name in lists.into_iter().flatten() {
            assert!(quoted.contains(name), "{name}");
        }
    }

    #[test]
    fn a_part_of_the_configuration_alone_is_no_key() {
        let given = |document: Value| is_in_configuration(document.as_object().unwrap());
        for nothing in [
            json!({}),
            json!({"plugins": {"entries": {"a": {"enabled": true}}}}),
            json!({"auth": {"order": {"openai": ["a"]}}}),
            json!({"auth": {"profiles": {"a": {"provider": "openai", "mode": "api_key"}}}}),
            json!({"models": {"mode": "merge"}}),
            json!({"models": {"providers": {"openai": {"apiKey": "", "models": []}}}}),
            json!({"env": {"vars": {"LANG": "C"}}}),
            json!({"secrets": {"defaults": {"env": "default"}}}),
            json!({"agents": {"defaults": {"model": "openai/gpt-5"}}}),
        ] {
            assert!(!given(nothing.clone()), "{nothing}");
        }
        for something in [
            json!({"$include": "./more.json"}),
            json!({"auth": {"profiles": {"a": {"provider": "openai", "mode": "oauth"}}}}),
            json!({"models": {"providers": {"openai": {"apiKey": {"source": "env"}}}}}),
            json!({"models": {"providers": {"mine": {"baseUrl": "http://llm:8000"}}}}),
            json!({"env": {"OPENAI_API_KEY": "${KEY}"}}),
            json!({"env": {"vars": {"OPENAI_API_KEY": "a"}}}),
            json!({"secrets": {"providers": {"vault": {"source": "exec"}}}}),
            json!({"agents": {"defaults": {"model": {"primary": "ollama/llama3.3"}}}}),
        ] {
            assert!(given(something.clone()), "{something}");
        }
    }
}
