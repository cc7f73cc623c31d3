//! The server for local models: image, models, and where they are kept.

use k8s_openapi::api::core::v1::{EnvVar, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::context::{Reference, Resolving};
use super::defaults::text;
use super::environment::Environment;
use super::{NetworkPolicy, image, resources, runtimes};
use crate::api::ConditionType::StorageReady;
use crate::api::{OllamaSpec, OpenClawInstanceSpec};
use crate::problem::Severity;
use crate::vocab::images;

/// How long an agent waits for all its models together.
pub(crate) const FETCH_SECONDS: i64 = 1800;
const PATH: &str = "spec.ollama";
/// Space for models without a claim.
const SIZE_LIMIT: &str = "20Gi";
/// How device plugins count NVIDIA's GPUs.
const GPU: &str = "nvidia.com/gpu";

/// The server for local models.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ollama {
    /// Full reference, registry override applied.
    pub(crate) image: String,
    /// What is fetched before the agent starts, in this order, each once.
    pub(crate) models: Vec<String>,
    pub(crate) resources: ResourceRequirements,
    pub(crate) store: ModelStore,
    /// Those of the user's variables that say how to reach the network.
    pub(crate) variables: Vec<EnvVar>,
}

/// Where models are kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ModelStore {
    /// In a claim of the user's.
    Existing(String),
    /// Nowhere: they go with the pod. The limit is the space that they may take.
    Ephemeral(Quantity),
}

impl ModelStore {
    /// Returns the claim that they are kept in.
    pub(crate) fn claim(&self) -> Option<&str> {
        match self {
            Self::Existing(claim) => Some(claim),
            Self::Ephemeral(_) => None,
        }
    }
}

/// Returns the server, if one is asked for.
pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    environment: &Environment,
    network_policy: Option<&NetworkPolicy>,
    cx: &mut Resolving<'_>,
) -> Option<Ollama> {
    let ollama = spec.ollama.as_ref().filter(|each| each.enabled == Some(true))?;
    let asked = ollama.image.clone().unwrap_or_default();
    image::check_digest(&format!("{PATH}.image"), Some(&asked), "server", cx);
    let store = cx.about(StorageReady, |cx| store(ollama, cx));
    let models = models(ollama, &store, network_policy, cx);
    let default = (images::OLLAMA_REPOSITORY, images::OLLAMA_TAG);
    Some(Ollama {
        image: image::helper(&format!("{PATH}.image"), Some(&asked), default, spec, cx),
        models,
        resources: requirements(ollama, cx),
        store,
        variables: runtimes::of_installers(environment),
    })
}

fn models(
    ollama: &OllamaSpec,
    store: &ModelStore,
    network_policy: Option<&NetworkPolicy>,
    cx: &mut Resolving<'_>,
) -> Vec<String> {
    let path = format!("{PATH}.models");
    let mut models: Vec<String> = Vec::new();
    for model in ollama.models.iter().flatten() {
        if !models.contains(model) {
            models.push(model.clone());
        }
    }
    if models.is_empty() && store.claim().is_none() {
        cx.ineffective(
            path,
            "names nothing, so the server starts without a model: name those that the agent uses",
        );
    } else if !models.is_empty() && network_policy.is_some_and(|policy| !policy.https) {
        cx.ineffective(
            path,
            "are fetched from the Internet, which \
             `spec.security.networkPolicy.allowHTTPS: false` closes: open their registry in \
             `additionalEgress`, or name a claim that has them in `spec.ollama.storage`",
        );
    }
    models
}

fn store(ollama: &OllamaSpec, cx: &mut Resolving<'_>) -> ModelStore {
    let storage = ollama.storage.clone().unwrap_or_default();
    let limit = resources::given(storage.size_limit.as_ref());
    let path = format!("{PATH}.storage.existingClaim");
    let Some(claim) = text(storage.existing_claim.as_ref()) else {
        return ModelStore::Ephemeral(Quantity(limit.unwrap_or_else(|| SIZE_LIMIT.to_owned())));
    };
    cx.claim(Reference {
        path: &path,
        name: claim,
        missing: Some(Severity::WillNotStart),
        unseen: "whether it is there is not part of this rendering",
    });
    // Instances of the Go operator carry the limit that it wrote into them.
    if limit.is_some_and(|limit| limit != SIZE_LIMIT) {
        cx.ineffective(
            format!("{PATH}.storage.sizeLimit"),
            "has no effect beside `existingClaim`: the claim's size is the limit",
        );
    }
    ModelStore::Existing(claim.to_owned())
}

fn requirements(ollama: &OllamaSpec, cx: &mut Resolving<'_>) -> ResourceRequirements {
    let path = format!("{PATH}.resources");
    let given = ollama.resources.as_ref();
    let mut all = resources::requirements(&path, given, &resources::OLLAMA, cx);
    if let Some(gpus) = ollama.gpu.filter(|gpus| *gpus > 0) {
        for list in [&mut all.requests, &mut all.limits].into_iter().flatten() {
            list.insert(GPU.to_owned(), Quantity(gpus.to_string()));
        }
    }
    all
}
