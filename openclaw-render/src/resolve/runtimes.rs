//! Package manager and Python that are installed for the agent.

use k8s_openapi::api::core::v1::{EnvVar, ResourceRequirements};

use super::context::Resolving;
use super::environment::Environment;
use super::resources::{self, INSTALLERS};
use super::{NetworkPolicy, image};
use crate::api::OpenClawInstanceSpec;
use crate::vocab::{env, images};

/// What is installed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Runtimes {
    pub(crate) pnpm: bool,
    /// Image with uv, if Python is installed.
    pub(crate) uv_image: Option<String>,
    pub(crate) resources: ResourceRequirements,
    /// Those of the user's variables that say how to reach the network. No other reaches an
    /// installer, and no value of a Secret.
    pub(crate) variables: Vec<EnvVar>,
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    environment: &Environment,
    network_policy: Option<&NetworkPolicy>,
    cx: &mut Resolving<'_>,
) -> Option<Runtimes> {
    let deps = spec.runtime_deps.clone().unwrap_or_default();
    let (pnpm, python) = (deps.pnpm == Some(true), deps.python == Some(true));
    let path = "spec.runtimeDeps";
    let default = (images::UV_REPOSITORY, images::UV_TAG);
    let uv_path = format!("{path}.uvImage");
    let uv_image =
        python.then(|| image::helper(&uv_path, deps.uv_image.as_ref(), default, spec, cx));
    if !pnpm && !python {
        return None;
    }
    if network_policy.is_some_and(|policy| !policy.https) {
        cx.ineffective(
            path,
            "is installed from the Internet, which \
             `spec.security.networkPolicy.allowHTTPS: false` closes: open what a mirror needs in \
             `additionalEgress`, or use an image that has it",
        );
    }
    let resources = deps.resources.as_ref();
    let resources =
        resources::requirements(&format!("{path}.resources"), resources, &INSTALLERS, cx);
    Some(Runtimes { pnpm, uv_image, resources, variables: of_installers(environment) })
}

/// Returns those of the user's variables that installers get. No value of a Secret is among them.
pub(super) fn of_installers(environment: &Environment) -> Vec<EnvVar> {
    let is_passed =
        |entry: &&EnvVar| entry.value.is_some() && env::OF_INSTALLERS.contains(&&*entry.name);
    environment.entries.iter().filter(is_passed).cloned().collect()
}
