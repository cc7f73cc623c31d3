//! `init-pnpm` and `init-python`: install tools onto the volume, once.
//!
//! They end well whatever comes of it: an agent starts without a tool rather than not at all. What
//! could not be installed they leave as their last words, and the next pod tries it again.

use k8s_openapi::api::core::v1::{Container, EnvVar, SecurityContext};

use crate::pod::part::Part;
use crate::pod::{env as environment, home, volumes};
use crate::resolve::{Resolved, Runtimes};
use crate::vocab::{env, names, paths};

/// Directory of the scratch volume that is their `/tmp`.
const TMP: &str = "install-tmp";
/// Version of pnpm: pinned, so that two pods of one operator have the same.
const PNPM: &str = "10.34.9";
/// Series of Python.
const PYTHON: &str = "3.12";

/// Comes from the agent's image, whose npm installs pnpm.
pub(in crate::pod) fn pnpm(instance: &Resolved) -> Option<Part> {
    let runtimes = instance.runtimes.as_ref().filter(|runtimes| runtimes.pnpm)?;
    let container = Container {
        image: Some(instance.image.reference.clone()),
        image_pull_policy: Some(instance.image.pull_policy.to_string()),
        name: names::INIT_PNPM.to_owned(),
        ..container(instance, runtimes, ["pnpm", PNPM], &instance.security.agent)
    };
    Some(part(container))
}

/// Comes from the image with uv, which installs Python and itself.
pub(in crate::pod) fn python(instance: &Resolved) -> Option<Part> {
    let runtimes = instance.runtimes.as_ref()?;
    let container = Container {
        image: Some(runtimes.uv_image.clone()?),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: names::INIT_PYTHON.to_owned(),
        ..container(instance, runtimes, ["python", PYTHON], &instance.security.helper)
    };
    Some(part(container))
}

fn part(container: Container) -> Part {
    Part {
        container,
        directories: vec![volumes::scratch_directory(TMP, "1777")],
        ..Part::default()
    }
}

fn container(
    instance: &Resolved,
    runtimes: &Runtimes,
    [tool, version]: [&str; 2],
    security: &SecurityContext,
) -> Container {
    let arguments = [
        "pod",
        "install",
        "--tool",
        tool,
        "--version",
        version,
        "--home",
        paths::HOME,
        "--termination-log",
        paths::TERMINATION_LOG,
    ];
    let mut mounts = home::mounts(instance);
    mounts.extend([volumes::scratch_mount(TMP, paths::TMP), super::seed::helper()]);
    Container {
        args: Some(arguments.map(str::to_owned).to_vec()),
        command: Some(vec![paths::HELPER.to_owned()]),
        env: Some(variables(runtimes)),
        resources: Some(runtimes.resources.clone()),
        security_context: Some(security.clone()),
        volume_mounts: Some(mounts),
        ..Default::default()
    }
}

/// No secret of the agent's, and ours last: packages run no scripts, in whatever case npm reads it.
fn variables(runtimes: &Runtimes) -> Vec<EnvVar> {
    let cache = format!("{}/.cache", paths::HOME);
    let ours = [
        (env::HOME, paths::HOME),
        (env::NPM_CONFIG_CACHE, &*format!("{cache}/npm")),
        (env::NPM_CONFIG_IGNORE_SCRIPTS, "true"),
        (env::NPM_CONFIG_IGNORE_SCRIPTS_LOWER, "true"),
        (env::UV_CACHE_DIR, &*format!("{cache}/uv")),
    ]
    .map(|(name, value)| environment::entry(name, value));
    runtimes.variables.iter().cloned().chain(ours).collect()
}
