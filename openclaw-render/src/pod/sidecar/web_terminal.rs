//! `web-terminal`: a shell in the agent's HOME, for a browser (ttyd).
//!
//! Who has a shell there has the agent. Without a name and a password it listens on loopback, and
//! only who may forward ports of the pod comes in.

use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, SecretKeySelector};

use crate::pod::part::{OpenTo, Part, Port, Published, Start};
use crate::pod::{env as environment, home, volumes};
use crate::resolve::{Resolved, WebTerminal};
use crate::vocab::{env, names, paths, ports};

const NAME: &str = "web-terminal";
/// Volume of its temporary files.
const TMP_VOLUME: &str = "web-terminal-tmp";
const TMP_LIMIT: &str = "1Gi";
/// The kubelet puts the values in their place: no shell reads them.
const CREDENTIAL: &str = "$(TTYD_USERNAME):$(TTYD_PASSWORD)";

pub(in crate::pod) fn part(instance: &Resolved) -> Option<Part> {
    let terminal = instance.web_terminal.as_ref()?;
    let is_open = terminal.is_open();
    let published = Published { number: ports::WEB_TERMINAL, name: NAME, app_protocol: None };
    Some(Part {
        container: container(instance, terminal),
        // An init container would keep the agent waiting for this image.
        start: Start::Beside,
        volumes: vec![volumes::empty(TMP_VOLUME, TMP_LIMIT)],
        ports: vec![Port {
            number: ports::WEB_TERMINAL,
            name: NAME,
            published: is_open.then_some(published),
            open_to: if is_open { OpenTo::Clients } else { OpenTo::Nobody },
        }],
        ..Part::default()
    })
}

fn container(instance: &Resolved, terminal: &WebTerminal) -> Container {
    let mut mounts = home::mounts(instance);
    for mount in &mut mounts {
        mount.read_only = terminal.is_read_only.then_some(true);
    }
    mounts.push(volumes::mount(TMP_VOLUME, paths::TMP));
    Container {
        args: Some(arguments(terminal)),
        command: Some(vec!["ttyd".to_owned()]),
        env: Some(variables(terminal)),
        image: Some(terminal.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: NAME.to_owned(),
        resources: Some(terminal.resources.clone()),
        // As the agent's user: its files are the agent's.
        security_context: Some(instance.security.helper.clone()),
        volume_mounts: Some(mounts),
        working_dir: Some(paths::HOME.to_owned()),
        ..Default::default()
    }
}

/// Until 1.7.3, ttyd takes input unless told `-R`, later it takes none unless told `-W`; each ignores
/// the other's. Pages of other origins cannot use a browser that is signed in.
fn arguments(terminal: &WebTerminal) -> Vec<String> {
    let port = ports::WEB_TERMINAL.to_string();
    let mut arguments = vec!["--port", &port, "--check-origin"];
    arguments.push(if terminal.is_read_only { "-R" } else { "-W" });
    match terminal.credential {
        Some(_) => arguments.extend(["--credential", CREDENTIAL]),
        None => arguments.extend(["--interface", "lo"]),
    }
    arguments.push("sh");
    arguments.into_iter().map(str::to_owned).collect()
}

fn variables(terminal: &WebTerminal) -> Vec<EnvVar> {
    let mut entries = vec![environment::entry(env::HOME, paths::HOME)];
    let of_secret = |secret: &String, (name, key): (&str, &str)| EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                key: key.to_owned(),
                name: secret.clone(),
                // Without a value, the password would be the variable's name.
                optional: None,
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    if let Some(secret) = &terminal.credential {
        entries.push(of_secret(secret, (env::TTYD_USERNAME, names::TERMINAL_USER_KEY)));
        entries.push(of_secret(secret, (env::TTYD_PASSWORD, names::TERMINAL_PASSWORD_KEY)));
    }
    entries
}
