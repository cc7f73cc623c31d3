//! The agent's own container: the gateway, in the state that the init containers prepared.

use k8s_openapi::api::core::v1::{Container, VolumeMount};

use super::part::{AgentShare, OpenTo, Part, Port, Published, Start};
use super::{api_access, env, extras, home, probes, self_config, volumes};
use crate::resolve::{EntryPoint, Resolved};
use crate::vocab::{names, paths, ports};

/// Name of the gateway's port in container and Service.
const PORT_NAME: &str = "gateway";
/// Directory of the scratch volume that is the agent's `/tmp`.
const TMP: &str = "tmp";

pub(super) fn part(instance: &Resolved) -> Part {
    let mut mounts = home::agent_mounts(instance);
    mounts.push(tmp());
    mounts.extend(api_access::mount(instance));
    let mut variables = env::agent(instance);
    variables.extend(self_config::variables(instance));
    let mut directories = home::directories(instance);
    directories.extend(home::parents_of_mounts(instance));
    directories.push(volumes::scratch_directory(TMP, "1777"));
    Part {
        container: container(instance),
        start: Start::Agent,
        volumes: home::volume(instance).into_iter().chain(api_access::volume(instance)).collect(),
        claims: home::claim(instance).into_iter().collect(),
        agent: AgentShare { env: variables, mounts, ..AgentShare::default() },
        directories,
        ports: vec![port(instance)],
        egress: api_access::egress(instance).into_iter().collect(),
        rules: api_access::rules(instance),
        ..Part::default()
    }
}

/// The container but for what all parts give it.
fn container(instance: &Resolved) -> Container {
    let helper = instance.entry_point == EntryPoint::Helper;
    Container {
        args: helper.then(|| ["pod", "start"].map(str::to_owned).to_vec()),
        command: helper.then(|| vec![paths::HELPER.to_owned()]),
        env_from: Some(instance.environment.sources.clone()).filter(|sources| !sources.is_empty()),
        image: Some(instance.image.reference.clone()),
        image_pull_policy: Some(instance.image.pull_policy.to_string()),
        liveness_probe: probes::liveness(instance),
        name: names::AGENT.to_owned(),
        readiness_probe: probes::readiness(instance),
        resources: Some(instance.resources.agent.clone()),
        security_context: Some(instance.security.agent.clone()),
        startup_probe: probes::startup(instance),
        ..Default::default()
    }
}

/// Clients are led to the gateway itself only where no proxy stands in front of it.
fn port(instance: &Resolved) -> Port {
    let direct = instance.proxy.is_none();
    Port {
        number: ports::GATEWAY,
        name: PORT_NAME,
        published: direct.then(published),
        open_to: if direct { OpenTo::Clients } else { OpenTo::Nobody },
    }
}

/// Returns the Service's port under which clients find the gateway.
pub(super) fn published() -> Published {
    Published {
        number: ports::GATEWAY,
        name: PORT_NAME,
        // Browsers and channels keep WebSockets open (KEP-3726).
        app_protocol: Some("kubernetes.io/ws"),
    }
}

/// Mounts the agent's `/tmp`.
pub(super) fn tmp() -> VolumeMount {
    volumes::scratch_mount(TMP, paths::TMP)
}

/// Where installed programs are, if nobody else says: the helper puts the directory on the path when it
/// starts the gateway. The path of an image with an entry point of its own is not known, and taken for the
/// usual one; a PATH of the user's wins.
fn tools(instance: &Resolved) -> Option<&'static str> {
    let has_programs = instance.extensions.as_ref().is_some_and(|it| !it.packages.is_empty());
    let are_installed = instance.runtimes.is_some() || has_programs;
    (instance.entry_point == EntryPoint::Image && are_installed).then_some(paths::TOOLS)
}

/// Returns the container with the variables and mounts that all parts give it, and the user's.
pub(super) fn completed(
    container: Container,
    instance: &Resolved,
    shares: Vec<AgentShare>,
) -> Container {
    let (mut given, mut mounts, mut directories) = (Vec::new(), Vec::new(), Vec::new());
    for mut share in shares {
        given.append(&mut share.env);
        mounts.append(&mut share.mounts);
        directories.append(&mut share.path);
    }
    given.extend(env::path(tools(instance).into_iter().chain(directories)));
    Container {
        env: Some(env::with_users(given.into_iter(), instance)),
        volume_mounts: Some(extras::agent_mounts(mounts.into_iter(), instance)),
        ..container
    }
}
