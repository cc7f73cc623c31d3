//! From an `AgentInstance` to the `OpenClawInstance` that it stands for.
//!
//! The smaller kind can say less. What it says and cannot be carried over is a problem, with the
//! way that is open; what is wrong with the instance that was made is told at the fields from which
//! it was made.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde_json::{Value, json};

use crate::api::{
    AgentAutoscaling, AgentInstance, AgentSkills, AutoScalingSpec, AvailabilitySpec, ConfigSpec,
    ImageSpec, OpenClawInstance, OpenClawInstanceSpec, PersistenceSpec, SelfConfigAction,
    SelfConfigureSpec, StorageSpec,
};
use crate::problem::{Problem, Rule, Severity};
use crate::version::Version;
use crate::vocab::grammar::{is_agent_id, is_digest, is_repository, is_tag};
use crate::vocab::{AGENT_API_VERSION, AGENT_KIND, annotations};

/// The agent that every version has without being told.
const DEFAULT_AGENT: &str = "main";
/// The first version that was seen to keep agents by their id. Earlier ones refuse that, and later
/// ones take the list, too, with a warning.
const KEYED_AGENTS: Version = Version::new(2026, 8, 1);

/// From which field a part of the instance comes: the part, the field, and whether what is below
/// the part is below the field, too. The first that fits counts.
const ORIGINS: &[(&str, &str, bool)] = &[
    (
        "spec.availability.autoScaling.targetCPUUtilization",
        "spec.autoscaling.targetCPUUtilizationPercentage",
        false,
    ),
    ("spec.availability.autoScaling", "spec.autoscaling", true),
    ("spec.config", "spec.agentId", false),
    ("spec.image", "spec.image", false),
    ("spec.selfConfigure.allowedSkillSources", "spec.skills.allowedSources", true),
    ("spec.selfConfigure", "spec.skills.autoInstall", false),
    ("spec.storage.persistence.existingClaim", "spec.workspace.persistentVolumeClaim", false),
];

/// Returns the instance that an `AgentInstance` stands for, owned by it if it has a uid, and what
/// is wrong. There is no instance if anything is an error.
///
/// # Guarantees
/// The same name and namespace. Annotations below `openclaw.rocks/` go with it; labels and other
/// annotations do not, since they may say to which set of manifests the object belongs, and the
/// instance belongs to none.
#[must_use]
pub fn instance_of_agent(agent: &AgentInstance) -> (Option<OpenClawInstance>, Vec<Problem>) {
    let mut problems = Vec::new();
    let spec = &agent.spec;
    let image = spec.image.as_deref().filter(|image| !image.is_empty());
    let image = image.and_then(|text| {
        let parsed = parse_image(text);
        if parsed.is_none() {
            problems.push(Problem::error(
                "spec.image",
                Rule::Invalid,
                format!(
                    "{text:?} is not an image: write `repository:tag`, `repository@sha256:…` or \
                     `repository`"
                ),
            ));
        }
        parsed
    });
    let config = config(spec.agent_id.as_deref(), image.as_ref(), &mut problems);
    let claim = spec.workspace.as_ref().and_then(|it| it.persistent_volume_claim.clone());
    let made = OpenClawInstanceSpec {
        image,
        config,
        resources: spec.resources.clone(),
        storage: claim.map(|existing_claim| StorageSpec {
            persistence: Some(PersistenceSpec {
                existing_claim: Some(existing_claim),
                ..Default::default()
            }),
        }),
        self_configure: spec.skills.as_ref().and_then(|it| self_configure(it, &mut problems)),
        availability: spec.autoscaling.as_ref().map(availability),
        ..Default::default()
    };
    let is_usable = problems.iter().all(|problem| problem.severity == Severity::Advice);
    let instance = OpenClawInstance { metadata: metadata(agent), spec: made, status: None };
    (is_usable.then_some(instance), problems)
}

/// Returns the path in an `AgentInstance` from which a part of the instance comes. What comes from
/// nothing keeps its path.
#[must_use]
pub fn path_in_agent(path: &str) -> String {
    let origins = ORIGINS.iter();
    let mut origins = origins.filter_map(|(part, field, goes_on)| {
        let rest = path.strip_prefix(part)?;
        let is_it = rest.is_empty() || rest.starts_with(['.', '[']);
        is_it.then(|| format!("{field}{}", if *goes_on { rest } else { "" }))
    });
    origins.next().unwrap_or_else(|| path.to_owned())
}

fn metadata(agent: &AgentInstance) -> ObjectMeta {
    let given = &agent.metadata;
    let ours = given.annotations.clone().unwrap_or_default();
    let ours: BTreeMap<String, String> =
        ours.into_iter().filter(|(key, _)| key.starts_with(annotations::PREFIX)).collect();
    let owner = given.uid.clone().filter(|uid| !uid.is_empty()).map(|uid| OwnerReference {
        api_version: AGENT_API_VERSION.to_owned(),
        kind: AGENT_KIND.to_owned(),
        name: given.name.clone().unwrap_or_default(),
        uid,
        controller: Some(true),
        block_owner_deletion: Some(true),
    });
    ObjectMeta {
        name: given.name.clone(),
        namespace: given.namespace.clone(),
        annotations: (!ours.is_empty()).then_some(ours),
        owner_references: owner.map(|owner| vec![owner]),
        ..Default::default()
    }
}

/// Takes an image apart: the digest is behind `@`, the tag behind the last `:` of the last segment.
fn parse_image(text: &str) -> Option<ImageSpec> {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, it)| (name, Some(it)));
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let tag = name.get(last..)?.rfind(':').map(|colon| last + colon);
    let (repository, tag) = match tag {
        Some(colon) => (name.get(..colon)?, name.get(colon + 1..)),
        None => (name, None),
    };
    let is_right = is_repository(repository)
        && tag.is_none_or(|tag| !tag.is_empty() && is_tag(tag))
        && digest.is_none_or(is_digest);
    is_right.then(|| ImageSpec {
        repository: Some(repository.to_owned()),
        tag: tag.map(str::to_owned),
        digest: digest.map(str::to_owned),
        ..Default::default()
    })
}

/// Names the agent in openclaw.json, in the form that its version takes.
fn config(
    id: Option<&str>,
    image: Option<&ImageSpec>,
    problems: &mut Vec<Problem>,
) -> Option<ConfigSpec> {
    let id = id.filter(|id| !id.is_empty() && *id != DEFAULT_AGENT)?;
    if !is_agent_id(id) {
        problems.push(Problem::error(
            "spec.agentId",
            Rule::Invalid,
            format!(
                "{id:?} is not the id of an agent: write at most 64 lower-case letters, digits, \
                 `_` and `-`, no `-` in front"
            ),
        ));
        return None;
    }
    let version = image.and_then(|image| Version::from_tag(image.tag.as_deref()?));
    let agents: Value = if version.is_some_and(|version| version >= KEYED_AGENTS) {
        json!({"entries": {id: {}}})
    } else {
        json!({"list": [{"id": id}]})
    };
    Some(ConfigSpec { raw: Some(json!({"agents": agents})), ..Default::default() })
}

fn self_configure(skills: &AgentSkills, problems: &mut Vec<Problem>) -> Option<SelfConfigureSpec> {
    let sources = skills.allowed_sources.clone().filter(|sources| !sources.is_empty());
    if skills.auto_install != Some(true) {
        if sources.is_some() {
            problems.push(Problem::advice(
                "spec.skills.allowedSources",
                Rule::Ineffective,
                "has no effect without `autoInstall`: the agent adds no skills, from wherever",
            ));
        }
        return None;
    }
    Some(SelfConfigureSpec {
        enabled: Some(true),
        allowed_actions: Some(vec![SelfConfigAction::Skills]),
        allowed_skill_sources: sources,
    })
}

fn availability(scaling: &AgentAutoscaling) -> AvailabilitySpec {
    AvailabilitySpec {
        auto_scaling: Some(AutoScalingSpec {
            enabled: scaling.enabled,
            min_replicas: scaling.min_replicas,
            max_replicas: scaling.max_replicas,
            target_cpu_utilization: scaling.target_cpu_utilization_percentage,
            target_memory_utilization: None,
        }),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_image, path_in_agent};

    #[test]
    fn an_image_is_taken_apart_where_a_container_runtime_does() {
        let parts = |text: &str| {
            parse_image(text).map(|it| {
                let part = |part: Option<String>| part.unwrap_or_default();
                [part(it.repository), part(it.tag), part(it.digest)].join("|")
            })
        };
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, expected) in [
            ("ghcr.io/openclaw/openclaw:2026.3.12", "ghcr.io/openclaw/openclaw|2026.3.12|"),
            ("localhost:5000/openclaw", "localhost:5000/openclaw||"),
            ("localhost:5000/openclaw:a", "localhost:5000/openclaw|a|"),
            ("openclaw", "openclaw||"),
        ] {
            assert_eq!(parts(text).as_deref(), Some(expected), "{text}");
        }
        let both = format!("a.example/b:2026.9.6@{digest}");
        assert_eq!(parts(&both), Some(format!("a.example/b|2026.9.6|{digest}")));
        for bad in ["", ":a", "a:", "a@", "a@sha256:1", "a b", "https://a/b", "a/b:c:d", "a//b:c"] {
            assert_eq!(parts(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_where_it_was_written() {
        for (path, expected) in [
            ("spec.image.version", "spec.image"),
            ("spec.availability.autoScaling", "spec.autoscaling"),
            ("spec.availability.autoScaling.maxReplicas", "spec.autoscaling.maxReplicas"),
            (
                "spec.availability.autoScaling.targetCPUUtilization",
                "spec.autoscaling.targetCPUUtilizationPercentage",
            ),
            ("spec.selfConfigure", "spec.skills.autoInstall"),
            ("spec.selfConfigure.allowedActions", "spec.skills.autoInstall"),
            ("spec.selfConfigure.allowedSkillSources[1]", "spec.skills.allowedSources[1]"),
            ("spec.config.raw.agents.entries.a", "spec.agentId"),
            ("spec.resources.limits.cpu", "spec.resources.limits.cpu"),
            ("metadata.name", "metadata.name"),
        ] {
            assert_eq!(path_in_agent(path), expected, "{path}");
        }
    }
}
