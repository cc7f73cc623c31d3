//! `ollama`: a server for local models. It obeys whoever reaches it, so it listens on loopback:
//! nobody outside the pod does.
//!
//! Its image would run it as root; it runs as the pod's user, with its HOME on the volume of models.
//! The agent does not wait for it, only for the models that it fetches ([`crate::pod::init::models`]).

use k8s_openapi::api::core::v1::{Container, EnvVar};

use crate::pod::init::seed;
use crate::pod::part::{AgentShare, OpenTo, Part, Port};
use crate::pod::{env as environment, volumes};
use crate::resolve::{ModelStore, Ollama, Resolved};
use crate::vocab::{env, paths, ports};

const NAME: &str = "ollama";
const PORT_NAME: &str = "ollama";
/// Volume of the models, and where it is seen: a claim that held them for root has them in the same
/// place, in `models`.
const VOLUME: &str = "ollama-models";
const DIRECTORY: &str = "/ollama";
const MODELS: &str = "/ollama/models";
/// Directory of the scratch volume that is its `/tmp`.
const TMP: &str = "ollama-tmp";

pub(in crate::pod) fn part(instance: &Resolved) -> Option<Part> {
    let ollama = instance.ollama.as_ref()?;
    Some(Part {
        container: container(instance, ollama),
        volumes: vec![match &ollama.store {
            ModelStore::Existing(claim) => volumes::claim(VOLUME, claim),
            ModelStore::Ephemeral(limit) => volumes::empty(VOLUME, &limit.0),
        }],
        agent: AgentShare {
            env: vec![environment::entry(env::OLLAMA_HOST, &url())],
            ..AgentShare::default()
        },
        directories: vec![volumes::scratch_directory(TMP, "1777")],
        ports: vec![Port {
            number: ports::OLLAMA,
            name: PORT_NAME,
            published: None,
            open_to: OpenTo::Nobody,
        }],
        ..Part::default()
    })
}

/// Returns where the server is found within the pod.
pub(in crate::pod) fn url() -> String {
    format!("http://127.0.0.1:{}", ports::OLLAMA)
}

fn container(instance: &Resolved, ollama: &Ollama) -> Container {
    Container {
        env: Some(variables(ollama)),
        image: Some(ollama.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        liveness_probe: Some(super::answers(&format!("{}/api/version", url()))),
        name: NAME.to_owned(),
        resources: Some(ollama.resources.clone()),
        restart_policy: Some("Always".to_owned()),
        security_context: Some(instance.security.helper.clone()),
        volume_mounts: Some(vec![
            volumes::mount(VOLUME, DIRECTORY),
            volumes::scratch_mount(TMP, paths::TMP),
            seed::helper(),
        ]),
        ..Default::default()
    }
}

/// How to get to the network, and ours last.
fn variables(ollama: &Ollama) -> Vec<EnvVar> {
    let ours = [
        (env::HOME, DIRECTORY),
        (env::OLLAMA_HOST, &*format!("127.0.0.1:{}", ports::OLLAMA)),
        (env::OLLAMA_MODELS, MODELS),
    ]
    .map(|(name, value)| environment::entry(name, value));
    ollama.variables.iter().cloned().chain(ours).collect()
}
