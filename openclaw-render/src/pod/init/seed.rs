//! `init-config`: performs the seed plan and puts the helper binary where the agent's image can run
//! it. It comes from the operator's image, which holds nothing but that binary.

use k8s_openapi::api::core::v1::{Container, Volume, VolumeMount};

use crate::pod::part::{AgentShare, Part, Start};
use crate::pod::volumes;
use crate::resolve::Resolved;
use crate::seed::SEED_PLAN_KEY;
use crate::vocab::{names, paths};

/// The helper binary in the operator's image.
pub(in crate::pod) const HELPER_IN_IMAGE: &str = "/openclaw-cli";
/// Volume with the helper binary: one, and static.
const HELPER_VOLUME: &str = "helper";
const HELPER_LIMIT: &str = "64Mi";
/// Volume with the seed plan and its contents, and where it is seen.
const PLAN_VOLUME: &str = "workspace-init";
const PLAN: &str = "/workspace-init";
/// Where the scratch volume's root is seen.
const SCRATCH: &str = "/scratch";

pub(in crate::pod) fn part(instance: &Resolved) -> Part {
    Part {
        container: container(instance),
        start: Start::First,
        volumes: vec![
            volumes::config_map(PLAN_VOLUME, &instance.name.workspace(), None),
            helper_volume(),
            volumes::scratch(),
        ],
        agent: AgentShare { mounts: vec![helper()], ..AgentShare::default() },
        ..Part::default()
    }
}

/// Returns the volume with the helper binary.
pub(in crate::pod) fn helper_volume() -> Volume {
    volumes::empty(HELPER_VOLUME, HELPER_LIMIT)
}

/// Mounts the helper binary, for containers of other images.
pub(in crate::pod) fn helper() -> VolumeMount {
    volumes::read_only(HELPER_VOLUME, paths::HELPER_DIR)
}

fn container(instance: &Resolved) -> Container {
    let plan = format!("{PLAN}/{SEED_PLAN_KEY}");
    let arguments = [
        "pod",
        "seed",
        "--plan",
        &plan,
        "--contents",
        PLAN,
        "--data",
        paths::DATA,
        "--scratch",
        SCRATCH,
        "--helper-to",
        paths::HELPER,
        "--termination-log",
        paths::TERMINATION_LOG,
    ];
    Container {
        args: Some(arguments.map(str::to_owned).to_vec()),
        command: Some(vec![HELPER_IN_IMAGE.to_owned()]),
        image: Some(instance.helper_image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: names::INIT_CONFIG.to_owned(),
        resources: Some(instance.resources.init.clone()),
        security_context: Some(instance.security.helper.clone()),
        volume_mounts: Some(vec![
            volumes::mount(names::DATA_VOLUME, paths::DATA),
            volumes::scratch_root(SCRATCH),
            volumes::mount(HELPER_VOLUME, paths::HELPER_DIR),
            volumes::read_only(PLAN_VOLUME, PLAN),
        ]),
        ..Default::default()
    }
}
