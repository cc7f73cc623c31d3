//! `init-config`: performs the seed plan and puts the helper binary where the agent's image can run
//! it. It comes from the operator's image, which holds nothing but that binary.

use k8s_openapi::api::core::v1::Container;

use crate::pod::volumes;
use crate::resolve::Resolved;
use crate::seed::SEED_PLAN_KEY;
use crate::vocab::{names, paths};

pub(in crate::pod) fn container(instance: &Resolved) -> Container {
    let arguments = [
        "pod",
        "seed",
        "--plan",
        &format!("{}/{SEED_PLAN_KEY}", paths::WORKSPACE_INIT),
        "--contents",
        paths::WORKSPACE_INIT,
        "--data",
        paths::DATA,
        "--scratch",
        paths::SCRATCH,
        "--helper-to",
        paths::HELPER,
        "--termination-log",
        paths::TERMINATION_LOG,
    ];
    Container {
        args: Some(arguments.map(str::to_owned).to_vec()),
        command: Some(vec![paths::HELPER_IN_IMAGE.to_owned()]),
        image: Some(instance.helper_image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: names::INIT_CONFIG.to_owned(),
        resources: Some(instance.resources.init.clone()),
        security_context: Some(instance.security.helper.clone()),
        volume_mounts: Some(vec![
            volumes::mount(names::DATA_VOLUME, paths::DATA),
            volumes::mount(names::SCRATCH_VOLUME, paths::SCRATCH),
            volumes::mount(names::HELPER_VOLUME, paths::HELPER_DIR),
            volumes::read_only(names::WORKSPACE_VOLUME, paths::WORKSPACE_INIT),
        ]),
        ..Default::default()
    }
}
