//! `tailscale`: leads members of a tailnet, or everyone on the internet, straight to the gateway. It
//! tells the gateway who they are, so nothing stands between the two.
//!
//! It runs beside the agent, which does not wait for it. Its identity is kept in a Secret, so that
//! the next pod is the same node of the tailnet.

use k8s_openapi::api::core::v1::{
    Container, EnvVar, EnvVarSource, ExecAction, Lifecycle, LifecycleHandler, SecurityContext,
};
use k8s_openapi::api::rbac::v1::PolicyRule;
use serde_json::json;

use crate::api::TailscaleMode;
use crate::pod::part::{AgentShare, File, OnChange, Part, Start};
use crate::pod::{api_access, egress, env as environment, volumes};
use crate::resolve::{Resolved, Tailscale};
use crate::vocab::{env, paths, ports};

const NAME: &str = "tailscale";
/// Whom it leads where: key and file, volume, and where that is seen.
const SERVE: &str = "tailscale-serve.json";
const SERVE_VOLUME: &str = "tailscale-serve";
const SERVE_DIRECTORY: &str = "/etc/tailscale/serve";
/// Volume of its socket, for its command in the agent's container.
const SOCKET_VOLUME: &str = "tailscale-socket";
const SOCKET_DIRECTORY: &str = "/var/run/tailscale";
const SOCKET: &str = "/var/run/tailscale/tailscaled.sock";
/// Volume of that command: one static binary.
const PROGRAM_VOLUME: &str = "tailscale-bin";
const PROGRAM_DIRECTORY: &str = "/tailscale-bin";
const PROGRAM_LIMIT: &str = "128Mi";
const TMP_VOLUME: &str = "tailscale-tmp";
const SMALL: &str = "64Mi";
/// Volume of the token by which it keeps its state.
const TOKEN_VOLUME: &str = "tailscale-token";
/// What it replaces by its own name in the tailnet.
const DOMAIN: &str = "${TS_CERT_DOMAIN}:443";

pub(in crate::pod) fn part(instance: &Resolved) -> Option<Part> {
    let tailscale = instance.tailscale.as_ref()?;
    let socket = environment::entry(env::TS_SOCKET, SOCKET);
    Some(Part {
        container: container(instance, tailscale),
        start: Start::Beside,
        volumes: vec![
            volumes::empty(SOCKET_VOLUME, SMALL),
            volumes::empty(PROGRAM_VOLUME, PROGRAM_LIMIT),
            volumes::empty(TMP_VOLUME, SMALL),
            volumes::config_map(SERVE_VOLUME, &instance.name.config(), Some(SERVE)),
            api_access::account(TOKEN_VOLUME),
        ],
        agent: AgentShare {
            env: vec![socket],
            mounts: vec![
                volumes::read_only(SOCKET_VOLUME, SOCKET_DIRECTORY),
                volumes::read_only(PROGRAM_VOLUME, PROGRAM_DIRECTORY),
            ],
            path: vec![PROGRAM_DIRECTORY],
        },
        secrets: vec![instance.name.tailscale_state()],
        files: vec![File { key: SERVE, content: serve(tailscale), on_change: OnChange::Reloads }],
        egress: vec![egress::anywhere(&[
            (ports::STUN, "UDP"),
            (ports::WIREGUARD, "UDP"),
            (ports::API_SERVER, "TCP"),
        ])],
        rules: vec![PolicyRule {
            api_groups: Some(vec![String::new()]),
            resource_names: Some(vec![instance.name.tailscale_state()]),
            resources: Some(vec!["secrets".to_owned()]),
            verbs: ["get", "update", "patch"].map(str::to_owned).to_vec(),
            ..Default::default()
        }],
        ..Part::default()
    })
}

fn container(instance: &Resolved, tailscale: &Tailscale) -> Container {
    Container {
        env: Some(variables(instance, tailscale)),
        image: Some(tailscale.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        lifecycle: Some(Lifecycle { post_start: Some(hand_out_program()), ..Default::default() }),
        name: NAME.to_owned(),
        resources: Some(tailscale.resources.clone()),
        security_context: Some(SecurityContext { ..instance.security.helper.clone() }),
        volume_mounts: Some(vec![
            volumes::mount(SOCKET_VOLUME, SOCKET_DIRECTORY),
            volumes::mount(PROGRAM_VOLUME, PROGRAM_DIRECTORY),
            volumes::mount(TMP_VOLUME, paths::TMP),
            volumes::read_only(SERVE_VOLUME, SERVE_DIRECTORY),
            volumes::read_only(TOKEN_VOLUME, paths::SERVICE_ACCOUNT),
        ]),
        ..Default::default()
    }
}

/// The agent's container gets the command of this very version. An init container would keep the
/// agent waiting for this image.
fn hand_out_program() -> LifecycleHandler {
    let command = ["cp", "-f", "/usr/local/bin/tailscale", PROGRAM_DIRECTORY];
    LifecycleHandler {
        exec: Some(ExecAction { command: Some(command.map(str::to_owned).to_vec()) }),
        ..Default::default()
    }
}

fn variables(instance: &Resolved, tailscale: &Tailscale) -> Vec<EnvVar> {
    let mut entries = [
        ("TS_USERSPACE", "true"),
        ("TS_STATE_DIR", "/tmp/tailscale"),
        (env::TS_SOCKET, SOCKET),
        ("TS_SERVE_CONFIG", &format!("{SERVE_DIRECTORY}/{SERVE}")),
        ("TS_HOSTNAME", &tailscale.hostname),
        ("TS_KUBE_SECRET", &instance.name.tailscale_state()),
        // A key that works once must not be needed for the next start.
        ("TS_AUTH_ONCE", "true"),
    ]
    .map(|(name, value)| environment::entry(name, value))
    .to_vec();
    entries.extend(tailscale.auth_key.clone().map(|key| EnvVar {
        name: "TS_AUTHKEY".to_owned(),
        value_from: Some(EnvVarSource { secret_key_ref: Some(key), ..Default::default() }),
        ..Default::default()
    }));
    entries
}

/// Returns whom it leads where. Only its own name is filled in, by itself.
fn serve(tailscale: &Tailscale) -> String {
    let gateway = format!("http://127.0.0.1:{}", ports::GATEWAY);
    let mut config = json!({
        "TCP": {"443": {"HTTPS": true}},
        "Web": {DOMAIN: {"Handlers": {"/": {"Proxy": gateway}}}},
    });
    if let (TailscaleMode::Funnel, Some(config)) = (tailscale.mode, config.as_object_mut()) {
        config.insert("AllowFunnel".to_owned(), json!({DOMAIN: true}));
    }
    config.to_string()
}
