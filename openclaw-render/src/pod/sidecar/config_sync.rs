//! `config-sync`: hands openclaw.json to the application, but only a version of it that the
//! application's own validator accepts. What that refuses, its own migration has a look at. It runs
//! in the agent's image, because that is where both are in the right version.

use k8s_openapi::api::core::v1::{Container, ContainerPort, EnvVar, ExecAction, Probe};

use crate::pod::volumes;
use crate::resolve::Resolved;
use crate::vocab::{env, names, paths, ports};

/// The application's own commands, in the versions that have them.
const VALIDATOR: &[&str] = &["openclaw", "config", "validate", "--json"];
const MIGRATOR: &[&str] = &["openclaw", "doctor", "--fix", "--non-interactive"];

/// While no valid configuration is there, the pod waits and says why; a restart would not help.
/// At one probe in two seconds this is 23 days.
const STARTUP_FAILURES: i32 = 1_000_000;

pub(in crate::pod) fn container(instance: &Resolved) -> Container {
    let port = ports::CONFIG_SYNC.to_string();
    let mut arguments = [
        "pod",
        "sync",
        "--source",
        &format!("{}/{}", paths::OPERATOR_CONFIG, names::CONFIG_KEY),
        "--target",
        paths::CONFIG_FILE,
        "--work-dir",
        paths::SYNC_WORK,
        "--port",
        &port,
    ]
    .map(str::to_owned)
    .to_vec();
    let version = instance.image.version;
    if version.has_migration() {
        arguments.extend(MIGRATOR.iter().map(|word| format!("--migrator={word}")));
    }
    if version.has_validator() {
        arguments.push("--".to_owned());
        arguments.extend(VALIDATOR.iter().map(|word| (*word).to_owned()));
    }
    let mut mounts = volumes::home(instance);
    mounts.extend([
        volumes::scratch(paths::SCRATCH_SYNC_TMP, paths::TMP),
        volumes::scratch(paths::SCRATCH_SYNC, paths::SYNC_WORK),
        volumes::read_only(names::CONFIG_VOLUME, paths::OPERATOR_CONFIG),
        volumes::read_only(names::HELPER_VOLUME, paths::HELPER_DIR),
    ]);
    Container {
        args: Some(arguments),
        command: Some(vec![paths::HELPER.to_owned()]),
        env: Some(environment()),
        image: Some(instance.image.reference.clone()),
        image_pull_policy: Some(instance.image.pull_policy.to_string()),
        name: names::CONFIG_SYNC.to_owned(),
        ports: Some(vec![ContainerPort {
            container_port: ports::CONFIG_SYNC,
            name: Some(ports::CONFIG_SYNC_NAME.to_owned()),
            protocol: Some("TCP".to_owned()),
            ..Default::default()
        }]),
        resources: Some(instance.resources.sync.clone()),
        restart_policy: Some("Always".to_owned()),
        security_context: Some(instance.security.helper.clone()),
        startup_probe: Some(startup_probe()),
        volume_mounts: Some(mounts),
        ..Default::default()
    }
}

/// The validator gets a state of its own: the agent's may belong to a newer version, which an older
/// validator refuses to open. No secret of the agent's is here.
fn environment() -> Vec<EnvVar> {
    let state = format!("{}/state", paths::SYNC_WORK);
    [
        (env::HOME, paths::SYNC_WORK),
        (env::STATE_DIR, &state),
        (env::NO_RESPAWN, "1"),
        (env::NO_AUTO_UPDATE, "1"),
        (env::DISABLE_BONJOUR, "1"),
    ]
    .map(|(name, value)| EnvVar {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        ..Default::default()
    })
    .to_vec()
}

fn startup_probe() -> Probe {
    let url = format!("http://127.0.0.1:{}/startupz", ports::CONFIG_SYNC);
    let command = [paths::HELPER, "pod", "probe", "--url", &url, "--expect", "status=started"];
    Probe {
        exec: Some(ExecAction { command: Some(command.map(str::to_owned).to_vec()) }),
        failure_threshold: Some(STARTUP_FAILURES),
        period_seconds: Some(2),
        success_threshold: Some(1),
        timeout_seconds: Some(5),
        ..Default::default()
    }
}
