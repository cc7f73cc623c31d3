//! The agent's own container: the gateway, in the state that the init containers prepared.

use k8s_openapi::api::core::v1::{Container, ContainerPort};

use super::{env, probes, volumes};
use crate::resolve::{EntryPoint, Resolved};
use crate::vocab::{names, paths, ports};

pub(super) fn container(instance: &Resolved) -> Container {
    let mut mounts = volumes::home(instance);
    mounts.extend([
        volumes::scratch(paths::SCRATCH_TMP, paths::TMP),
        volumes::read_only(names::HELPER_VOLUME, paths::HELPER_DIR),
    ]);
    let helper = instance.entry_point == EntryPoint::Helper;
    Container {
        args: helper.then(|| ["pod", "start"].map(str::to_owned).to_vec()),
        command: helper.then(|| vec![paths::HELPER.to_owned()]),
        env: Some(env::agent(instance)),
        env_from: Some(instance.environment.sources.clone()).filter(|sources| !sources.is_empty()),
        image: Some(instance.image.reference.clone()),
        image_pull_policy: Some(instance.image.pull_policy.to_string()),
        liveness_probe: probes::liveness(instance),
        name: names::AGENT.to_owned(),
        ports: Some(vec![ContainerPort {
            container_port: ports::GATEWAY,
            name: Some(ports::GATEWAY_NAME.to_owned()),
            protocol: Some("TCP".to_owned()),
            ..Default::default()
        }]),
        readiness_probe: probes::readiness(instance),
        resources: Some(instance.resources.agent.clone()),
        security_context: Some(instance.security.agent.clone()),
        startup_probe: probes::startup(instance),
        volume_mounts: Some(mounts),
        ..Default::default()
    }
}
