//! Precedence of instance and ClusterDefaults, in one place.
//!
//! The instance's value wins over the ClusterDefaults, which win over our own defaults; those stand
//! beside the values that they belong to. The stored object is never changed: `kubectl get` shows what the user wrote.

use k8s_openapi::api::core::v1::EnvVar;

use crate::api::{ClusterDefaultsSpec, ImageSpec, OpenClawInstanceSpec, RuntimeDepsSpec};

/// `Some` only for text that is not empty: an empty string means unset in every field, so that
/// templates may leave values empty.
pub(super) fn text(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|text| !text.is_empty())
}

/// The instance's spec with the ClusterDefaults under it.
///
/// Repository, tag and digest are one reference: the default digest applies only to an instance
/// that sets none of the three, the default tag only to one that sets neither tag nor digest.
pub(crate) fn merge(
    spec: &OpenClawInstanceSpec,
    defaults: Option<&ClusterDefaultsSpec>,
) -> OpenClawInstanceSpec {
    let mut merged = spec.clone();
    let Some(defaults) = defaults else { return merged };
    if text(merged.registry.as_ref()).is_none() {
        merged.registry.clone_from(&defaults.registry);
    }
    if let Some(image) = &defaults.image {
        merged.image = Some(merge_image(merged.image.take().unwrap_or_default(), image));
    }
    if let Some(env) = &defaults.env {
        merged.env = Some(merge_env(env, merged.env.take().unwrap_or_default()));
    }
    if let Some(deps) = &defaults.runtime_deps {
        let own = merged.runtime_deps.take().unwrap_or_default();
        merged.runtime_deps = Some(RuntimeDepsSpec {
            pnpm: own.pnpm.or(deps.pnpm),
            python: own.python.or(deps.python),
            uv_image: own.uv_image.or_else(|| deps.uv_image.clone()),
            resources: own.resources.or_else(|| deps.resources.clone()),
        });
    }
    merged
}

fn merge_image(own: ImageSpec, defaults: &ImageSpec) -> ImageSpec {
    let own_repository = text(own.repository.as_ref()).is_some();
    let own_version = text(own.tag.as_ref()).is_some() || text(own.digest.as_ref()).is_some();
    let inherited = |value: &Option<String>, when: bool| value.clone().filter(|_| when);
    ImageSpec {
        repository: if own_repository { own.repository } else { defaults.repository.clone() },
        tag: if own_version { own.tag } else { inherited(&defaults.tag, true) },
        digest: if own_version { own.digest } else { inherited(&defaults.digest, !own_repository) },
        pull_policy: own.pull_policy.or(defaults.pull_policy),
        pull_secrets: own
            .pull_secrets
            .filter(|secrets| !secrets.is_empty())
            .or_else(|| defaults.pull_secrets.clone()),
        version: if text(own.version.as_ref()).is_some() || own_version || own_repository {
            own.version
        } else {
            defaults.version.clone()
        },
    }
}

/// Defaults keep their place, an instance's entry of the same name takes it, the instance's other
/// entries follow in their order.
fn merge_env(defaults: &[EnvVar], own: Vec<EnvVar>) -> Vec<EnvVar> {
    let mut merged: Vec<EnvVar> = defaults
        .iter()
        .map(|default| own.iter().find(|entry| entry.name == default.name).unwrap_or(default))
        .cloned()
        .collect();
    merged.extend(
        own.into_iter().filter(|entry| !defaults.iter().any(|other| other.name == entry.name)),
    );
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn image(repository: &str, tag: &str, digest: &str) -> ImageSpec {
        let value = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        ImageSpec {
            repository: value(repository),
            tag: value(tag),
            digest: value(digest),
            ..Default::default()
        }
    }

    #[test]
    fn a_default_digest_never_overrides_a_tag_or_a_repository_of_the_instance() {
        let defaults = image("default/repo", "1", "sha256:d");
        for (own, expected) in [
            (image("", "2026.3.1", ""), image("default/repo", "2026.3.1", "")),
            (image("own/repo", "", ""), image("own/repo", "1", "")),
            (image("", "", "sha256:x"), image("default/repo", "", "sha256:x")),
            (image("", "", ""), image("default/repo", "1", "sha256:d")),
        ] {
            assert_eq!(merge_image(own, &defaults), expected);
        }
    }

    #[test]
    fn installers_of_the_defaults_count_where_an_instance_says_nothing() {
        let deps = |json| serde_json::from_value::<RuntimeDepsSpec>(json).unwrap();
        let defaults = ClusterDefaultsSpec {
            runtime_deps: Some(deps(json!({"pnpm": true, "uvImage": {"tag": "0.7"}}))),
            ..Default::default()
        };
        let own = OpenClawInstanceSpec {
            runtime_deps: Some(deps(json!({"pnpm": false}))),
            ..Default::default()
        };
        let expected = deps(json!({"pnpm": false, "uvImage": {"tag": "0.7"}}));
        assert_eq!(merge(&own, Some(&defaults)).runtime_deps, Some(expected));
    }

    #[test]
    fn environment_entries_of_the_instance_take_the_place_of_defaults() {
        let entry = |name: &str, value: &str| EnvVar {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            ..Default::default()
        };
        let merged =
            merge_env(&[entry("B", "2"), entry("A", "9")], vec![entry("C", "3"), entry("A", "1")]);
        let names: Vec<_> =
            merged.iter().map(|entry| (&*entry.name, entry.value.as_deref())).collect();
        assert_eq!(names, [("B", Some("2")), ("A", Some("1")), ("C", Some("3"))]);
    }
}
