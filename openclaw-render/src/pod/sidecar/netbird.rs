//! `netbird`: makes the agent a member of a NetBird network, in user space: it needs neither root nor
//! a device of the node's.
//!
//! It runs beside the agent, which does not wait for it. Its identity is on the agent's volume,
//! outside of HOME, so that the next pod is the same member.

use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource};

use crate::pod::part::{Part, Start};
use crate::pod::{egress, env as environment, home, volumes};
use crate::resolve::{Netbird, Resolved};
use crate::vocab::{env, names, paths, ports};

const NAME: &str = "netbird";
/// The client in its image.
const PROGRAM: &str = "/usr/local/bin/netbird";
/// Directory of the data volume that holds its identity, and where that is seen.
const STATE: &str = ".netbird";
const STATE_DIRECTORY: &str = "/var/lib/netbird";
const CONFIGURATION: &str = "/var/lib/netbird/config.json";
const SOCKET: &str = "unix:///var/lib/netbird/netbird.sock";
/// Directory of the scratch volume that is its `/tmp`.
const TMP: &str = "netbird-tmp";

pub(in crate::pod) fn part(instance: &Resolved) -> Option<Part> {
    let netbird = instance.netbird.as_ref()?;
    let mut open = vec![(ports::STUN, "UDP"), (ports::NETBIRD, "UDP")];
    open.extend(netbird.management_port.map(|port| (port, "TCP")));
    Some(Part {
        container: container(instance, netbird),
        start: Start::Beside,
        directories: vec![
            home::on_volume(STATE.to_owned(), "0700"),
            volumes::scratch_directory(TMP, "1777"),
        ],
        egress: vec![egress::anywhere(&open)],
        ..Part::default()
    })
}

fn container(instance: &Resolved, netbird: &Netbird) -> Container {
    Container {
        args: Some(vec!["up".to_owned()]),
        command: Some(vec![PROGRAM.to_owned()]),
        env: Some(variables(netbird)),
        image: Some(netbird.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: NAME.to_owned(),
        resources: Some(netbird.resources.clone()),
        security_context: Some(instance.security.helper.clone()),
        volume_mounts: Some(vec![
            volumes::below(names::DATA_VOLUME, STATE_DIRECTORY, STATE),
            volumes::scratch_mount(TMP, paths::TMP),
        ]),
        ..Default::default()
    }
}

fn variables(netbird: &Netbird) -> Vec<EnvVar> {
    let mut entries = [
        (env::HOME, STATE_DIRECTORY),
        // Its image knows no user of the pod's number.
        ("USER", NAME),
        ("NB_CONFIG", CONFIGURATION),
        ("NB_DAEMON_ADDR", SOCKET),
        // The pod's own resolver stays.
        ("NB_DISABLE_DNS", "true"),
        // Without it, connections of others end in user space, and never reach the gateway.
        ("NB_ENABLE_NETSTACK_LOCAL_FORWARDING", "true"),
        ("NB_FOREGROUND_MODE", "true"),
        ("NB_HOSTNAME", &netbird.hostname),
        ("NB_LOG_FILE", "console"),
        ("NB_STATE_DIR", STATE_DIRECTORY),
        ("NB_USE_NETSTACK_MODE", "true"),
    ]
    .map(|(name, value)| environment::entry(name, value))
    .to_vec();
    let url = netbird.management_url.as_deref();
    entries.extend(url.map(|url| environment::entry("NB_MANAGEMENT_URL", url)));
    entries.extend(netbird.setup_key.clone().map(|key| EnvVar {
        name: "NB_SETUP_KEY".to_owned(),
        value_from: Some(EnvVarSource { secret_key_ref: Some(key), ..Default::default() }),
        ..Default::default()
    }));
    entries
}
