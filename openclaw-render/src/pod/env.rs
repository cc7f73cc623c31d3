//! The agent's environment: ours first, so that the user's entries can refer to it, each name once.

use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, SecretKeySelector};

use crate::resolve::{Auth, Resolved};
use crate::vocab::{env, names, paths, ports};

/// Where the agent's image has its programs.
const IMAGE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Returns what the agent's container itself needs.
pub(super) fn agent(instance: &Resolved) -> Vec<EnvVar> {
    let mut entries = fixed(instance);
    entries.extend(tunable(instance));
    entries
}

/// Returns the given variables and the user's, whose values win.
pub(super) fn with_users(given: impl Iterator<Item = EnvVar>, instance: &Resolved) -> Vec<EnvVar> {
    let users = &instance.environment.entries;
    let mut entries: Vec<EnvVar> =
        given.filter(|entry| !users.iter().any(|other| other.name == entry.name)).collect();
    entries.extend(users.iter().cloned());
    entries
}

/// What the pod cannot work without; `resolve` keeps the user's entries of these names out.
fn fixed(instance: &Resolved) -> Vec<EnvVar> {
    let mut entries = vec![
        entry(env::HOME, paths::HOME),
        entry(env::STATE_DIR, paths::STATE),
        entry(env::CONFIG_PATH, paths::CONFIG_FILE),
        entry(env::GATEWAY_PORT, &ports::GATEWAY.to_string()),
    ];
    if instance.gateway.auth == Auth::SecretToken {
        entries.push(EnvVar {
            name: env::GATEWAY_TOKEN.to_owned(),
            value_from: Some(EnvVarSource {
                secret_key_ref: Some(SecretKeySelector {
                    key: names::TOKEN_KEY.to_owned(),
                    name: instance.token_secret(),
                    optional: None,
                }),
                ..Default::default()
            }),
            ..Default::default()
        });
    }
    entries
}

/// What the user may set otherwise.
fn tunable(instance: &Resolved) -> Vec<EnvVar> {
    let mut entries = Vec::new();
    if instance.config.forced.is_none() {
        // config-sync is the only writer of the file; without this the application migrates it.
        entries.push(entry(env::CONFIG_READONLY, "1"));
    }
    entries.extend([
        entry(env::DISABLE_BONJOUR, "1"),
        entry(env::NO_AUTO_UPDATE, "1"),
        entry(env::NO_RESPAWN, "1"),
    ]);
    let heap = instance.resources.heap_mib.map(|heap| format!("--max-old-space-size={heap}"));
    entries.extend(heap.map(|heap| entry(env::NODE_OPTIONS, &heap)));
    entries.extend([
        entry(env::NPM_CONFIG_CACHE, &format!("{}/.cache/npm", paths::HOME)),
        entry(env::NPM_CONFIG_PREFIX, &format!("{}/.local", paths::HOME)),
    ]);
    entries.extend(supervised(instance));
    entries
}

/// Who supervises the application: Kubernetes, not a service that its repairs would install.
pub(super) fn supervised(instance: &Resolved) -> Vec<EnvVar> {
    let mode = instance.image.version.has_supervisor_mode();
    let mode = mode.then(|| entry(env::SUPERVISOR_MODE, env::EXTERNAL));
    let policy = entry(env::SERVICE_REPAIR_POLICY, env::EXTERNAL);
    [policy].into_iter().chain(mode).collect()
}

/// Returns where programs are looked for, if not only in the image.
pub(super) fn path<'a>(directories: impl Iterator<Item = &'a str>) -> Option<EnvVar> {
    let mut directories: Vec<&str> = directories.collect();
    if directories.is_empty() {
        return None;
    }
    directories.push(IMAGE_PATH);
    Some(entry(env::PATH, &directories.join(":")))
}

pub(super) fn entry(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.to_owned()), ..Default::default() }
}
