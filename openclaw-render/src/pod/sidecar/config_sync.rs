//! `config-sync`: hands openclaw.json to the application, but only a version of it that the
//! application's own validator accepts. What that refuses, its own migration has a look at. It runs
//! in the agent's image, because that is where both are in the right version.

use k8s_openapi::api::core::v1::{Container, EnvVar, ExecAction, HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::chromium;
use crate::config;
use crate::pod::init::seed;
use crate::pod::part::{File, OnChange, OpenTo, Part, Port};
use crate::pod::{env as environment, home, volumes};
use crate::resolve::Resolved;
use crate::vocab::{env, names, paths, ports};

/// The application's own commands, in the versions that have them.
const VALIDATOR: &[&str] = &["openclaw", "config", "validate", "--json"];
const MIGRATOR: &[&str] = &["openclaw", "doctor", "--fix", "--non-interactive"];

/// While no valid configuration is there, the pod waits and says why; a restart would not help.
/// At one probe in two seconds this is 23 days.
const STARTUP_FAILURES: i32 = 1_000_000;

const PORT_NAME: &str = "config-sync";
/// Volume with openclaw.json as rendered, and where it is seen.
const SOURCE_VOLUME: &str = "config";
const SOURCE: &str = "/operator-config";
/// Where the file under validation is kept, and the directory of the scratch volume that is mounted
/// there.
const WORK: &str = "/sync";
const WORK_DIRECTORY: &str = "sync";
/// Directory of the scratch volume that is its `/tmp`.
const TMP_DIRECTORY: &str = "sync-tmp";

pub(in crate::pod) fn part(instance: &Resolved) -> Part {
    let key = names::CONFIG_KEY;
    Part {
        container: container(instance),
        volumes: vec![volumes::config_map(SOURCE_VOLUME, &instance.name.config(), Some(key))],
        files: vec![File { key, content: config::render(instance), on_change: OnChange::Reloads }],
        directories: vec![
            volumes::scratch_directory(WORK_DIRECTORY, "0700"),
            volumes::scratch_directory(TMP_DIRECTORY, "1777"),
        ],
        ports: vec![Port {
            number: ports::CONFIG_SYNC,
            name: PORT_NAME,
            published: None,
            // It asks which configuration the application runs.
            open_to: OpenTo::Operator,
        }],
        ..Part::default()
    }
}

fn container(instance: &Resolved) -> Container {
    let port = ports::CONFIG_SYNC.to_string();
    let mut arguments = [
        "pod",
        "sync",
        "--source",
        &format!("{SOURCE}/{}", names::CONFIG_KEY),
        "--target",
        paths::CONFIG_FILE,
        "--work-dir",
        WORK,
        "--port",
        &port,
    ]
    .map(str::to_owned)
    .to_vec();
    if let Some(forced) = &instance.config.forced {
        arguments.push("--mode=merge".to_owned());
        arguments.extend(forced.iter().map(|path| format!("--force={path}")));
    }
    let version = instance.image.version;
    if version.has_migration() {
        arguments.extend(MIGRATOR.iter().map(|word| format!("--migrator={word}")));
    }
    if version.has_validator() {
        arguments.push("--".to_owned());
        arguments.extend(VALIDATOR.iter().map(|word| (*word).to_owned()));
    }
    let mut mounts = home::mounts(instance);
    mounts.extend([
        volumes::scratch_mount(TMP_DIRECTORY, paths::TMP),
        volumes::scratch_mount(WORK_DIRECTORY, WORK),
        volumes::read_only(SOURCE_VOLUME, SOURCE),
        seed::helper(),
    ]);
    Container {
        args: Some(arguments),
        command: Some(vec![paths::HELPER.to_owned()]),
        env: Some(variables(instance)),
        image: Some(instance.image.reference.clone()),
        image_pull_policy: Some(instance.image.pull_policy.to_string()),
        liveness_probe: Some(liveness_probe()),
        name: names::CONFIG_SYNC.to_owned(),
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
///
/// What openclaw.json refers to because we wrote it there, the validator finds.
fn variables(instance: &Resolved) -> Vec<EnvVar> {
    let state = format!("{WORK}/state");
    let fixed = [
        (env::HOME, WORK),
        (env::STATE_DIR, &state),
        (env::NO_RESPAWN, "1"),
        (env::NO_AUTO_UPDATE, "1"),
        (env::DISABLE_BONJOUR, "1"),
    ]
    .map(|(name, value)| environment::entry(name, value));
    fixed.into_iter().chain(chromium::address(instance)).collect()
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

/// It answers whatever it has at hand, also while a validator runs. One that hangs would go unnoticed,
/// since the application runs on: no change of the configuration would ever arrive. It has nothing to
/// end in order.
fn liveness_probe() -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some("/status".to_owned()),
            port: IntOrString::Int(ports::CONFIG_SYNC),
            ..Default::default()
        }),
        failure_threshold: Some(4),
        period_seconds: Some(10),
        success_threshold: Some(1),
        termination_grace_period_seconds: Some(5),
        timeout_seconds: Some(5),
        ..Default::default()
    }
}
