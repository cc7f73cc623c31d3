//! `chromium`: a headless browser for the agent's browser tools. It takes commands without asking
//! who gives them, so it listens on loopback: nobody outside the pod reaches it.
//!
//! The agent does not wait for it: the application connects when a tool asks for the browser.

use k8s_openapi::api::core::v1::{
    Container, EmptyDirVolumeSource, EnvVar, SecurityContext, Volume,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::pod::init::seed;
use crate::pod::part::{AgentShare, Claim, OpenTo, Part, Port};
use crate::pod::{env as environment, volumes};
use crate::resolve::{Chromium, Profile, Resolved};
use crate::vocab::{env, paths, ports};

const NAME: &str = "chromium";
const PORT_NAME: &str = "cdp";
/// The browser in the default image.
const PROGRAM: &str = "/headless-shell/headless-shell";
/// Volume of temporary files and downloads, which is its HOME, too.
const TMP_VOLUME: &str = "chromium-tmp";
const TMP_LIMIT: &str = "4Gi";
/// Volume of the memory that the browser's processes share; it counts as memory of the container.
const MEMORY_VOLUME: &str = "chromium-shm";
const MEMORY: &str = "/dev/shm";
const MEMORY_LIMIT: &str = "1Gi";
/// Volume of the profile.
const PROFILE_VOLUME: &str = "chromium-data";
/// As large as a claim would be.
const PROFILE_LIMIT: &str = "1Gi";
/// User of the image, unless the pod is given one.
const USER: i64 = 65534;

pub(in crate::pod) fn part(instance: &Resolved) -> Option<Part> {
    let chromium = instance.chromium.as_ref()?;
    Some(Part {
        container: container(instance, chromium),
        volumes: vec![
            volumes::empty(TMP_VOLUME, TMP_LIMIT),
            shared_memory(),
            profile_volume(&chromium.profile),
        ],
        claims: claim(&chromium.profile).into_iter().collect(),
        agent: AgentShare { env: address(instance), ..AgentShare::default() },
        ports: vec![Port {
            number: ports::CDP,
            name: PORT_NAME,
            published: None,
            open_to: OpenTo::Nobody,
        }],
        ..Part::default()
    })
}

/// Returns where the browser is found, as variables of those who look for it.
///
/// On loopback the application asks for no pairing.
pub(super) fn address(instance: &Resolved) -> Vec<EnvVar> {
    let url = format!("http://127.0.0.1:{}", ports::CDP);
    let entry = |name| environment::entry(name, &url);
    let names = [env::CHROMIUM_CDP, env::CHROMIUM_URL];
    instance.chromium.iter().flat_map(|_| names.map(entry)).collect()
}

fn container(instance: &Resolved, chromium: &Chromium) -> Container {
    let ours = chromium.is_started_by_us;
    let mut mounts = vec![
        volumes::mount(TMP_VOLUME, paths::TMP),
        volumes::mount(MEMORY_VOLUME, MEMORY),
        volumes::mount(PROFILE_VOLUME, paths::CHROMIUM_PROFILE),
    ];
    mounts.extend(ours.then(seed::helper));
    Container {
        args: Some(chromium.arguments.clone()),
        command: ours.then(|| vec![PROGRAM.to_owned()]),
        env: Some(variables(chromium)),
        image: Some(chromium.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        liveness_probe: ours
            .then(|| super::answers(&format!("http://127.0.0.1:{}/json/version", ports::CDP))),
        name: NAME.to_owned(),
        resources: Some(chromium.resources.clone()),
        restart_policy: Some("Always".to_owned()),
        security_context: Some(SecurityContext {
            // What another entry point writes where is not known.
            read_only_root_filesystem: Some(ours),
            run_as_non_root: Some(true),
            run_as_user: instance.security.user_of_image(USER),
            ..instance.security.helper.clone()
        }),
        volume_mounts: Some(mounts),
        ..Default::default()
    }
}

/// The user's variables win.
fn variables(chromium: &Chromium) -> Vec<EnvVar> {
    let users = &chromium.variables;
    let home = environment::entry(env::HOME, paths::TMP);
    let home = Some(home).filter(|home| users.iter().all(|other| other.name != home.name));
    home.into_iter().chain(users.iter().cloned()).collect()
}

fn shared_memory() -> Volume {
    Volume {
        name: MEMORY_VOLUME.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource {
            medium: Some("Memory".to_owned()),
            size_limit: Some(Quantity(MEMORY_LIMIT.to_owned())),
        }),
        ..Default::default()
    }
}

fn profile_volume(profile: &Profile) -> Volume {
    profile.claim().map_or_else(
        || volumes::empty(PROFILE_VOLUME, PROFILE_LIMIT),
        |claim| volumes::claim(PROFILE_VOLUME, claim),
    )
}

/// It goes with the instance, unlike the agent's state: without an agent nobody is signed in.
fn claim(profile: &Profile) -> Option<Claim> {
    let Profile::Made { claim, spec } = profile else { return None };
    Some(Claim {
        name: claim.clone(),
        annotations: [].into(),
        spec: (**spec).clone(),
        outlives_instance: false,
    })
}
