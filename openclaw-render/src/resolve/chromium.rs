//! The browser of the agent's pod: image, arguments, and where its profile is kept.

use k8s_openapi::api::core::v1::{EnvVar, PersistentVolumeClaimSpec, ResourceRequirements};

use super::context::{Reference, Resolving};
use super::defaults::text;
use super::resources;
use super::{environment, image, storage};
use crate::api::ConditionType::StorageReady;
use crate::api::{ChromiumPersistence, ChromiumSpec, OpenClawInstanceSpec, SidecarImage};
use crate::object::Kind;
use crate::problem::Severity;
use crate::vocab::names::InstanceName;
use crate::vocab::{images, paths, ports};

/// Size of the claim that we make for the profile.
const SIZE: &str = "1Gi";
/// Flags that keep pages from telling the browser from one that a person uses, and those without
/// which it does not run in a container.
const ARGUMENTS: &[&str] = &[
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-blink-features=AutomationControlled",
    "--disable-features=AutomationControlled",
    "--no-first-run",
    "--disable-oom-score-adj",
];
/// Flags whose values are lists: what the user writes is added to ours.
const LISTS: &[&str] = &["--disable-blink-features", "--disable-features"];
/// Flags of the default image's own entry point.
const OF_ENTRY_POINT: &[&str] = &["--use-gl=angle", "--use-angle=swiftshader"];
/// Flags that say where the browser listens.
const LISTENING: &[&str] =
    &["--remote-debugging-address", "--remote-debugging-pipe", "--remote-debugging-port"];
/// Flag that says where the profile is.
const PROFILE: &str = "--user-data-dir";

/// The browser.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chromium {
    /// Full reference, registry override applied.
    pub(crate) image: String,
    /// Whether we start the browser ourselves, and the image's entry point does not: only where we
    /// know how the image is laid out. Then it listens on loopback alone.
    pub(crate) is_started_by_us: bool,
    pub(crate) arguments: Vec<String>,
    /// The user's variables.
    pub(crate) variables: Vec<EnvVar>,
    /// Hash of what these refer to.
    pub(crate) inputs: Option<String>,
    pub(crate) resources: ResourceRequirements,
    pub(crate) profile: Profile,
}

/// Where the browser's profile is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Profile {
    /// In a claim that we make.
    Made {
        /// Its name.
        claim: String,
        /// Its spec.
        spec: Box<PersistentVolumeClaimSpec>,
    },
    /// In a claim of the user's.
    Existing(String),
    /// Nowhere: it goes with the pod.
    Ephemeral,
}

impl Profile {
    /// Returns the claim that it is kept in.
    pub(crate) fn claim(&self) -> Option<&str> {
        match self {
            Self::Made { claim, .. } | Self::Existing(claim) => Some(claim),
            Self::Ephemeral => None,
        }
    }
}

/// Returns the browser, if one is asked for.
pub(super) fn resolve(
    name: &InstanceName,
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> Option<Chromium> {
    let chromium = spec.chromium.as_ref().filter(|each| each.enabled == Some(true))?;
    let (image, is_started_by_us) = image(chromium, spec, cx);
    let profile = cx.about(StorageReady, |cx| profile(name, chromium, cx));
    let path = "spec.chromium.extraEnv";
    let (variables, inputs) = environment::of_helper(path, chromium.extra_env.as_ref(), cx);
    let path = "spec.chromium.resources";
    Some(Chromium {
        image,
        is_started_by_us,
        arguments: arguments(chromium, is_started_by_us, &profile, cx),
        variables,
        inputs,
        resources: resources::requirements(
            path,
            chromium.resources.as_ref(),
            &resources::CHROMIUM,
            cx,
        ),
        profile,
    })
}

/// Returns the image, and whether it is laid out like the default one.
fn image(
    chromium: &ChromiumSpec,
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> (String, bool) {
    let path = "spec.chromium.image";
    let asked = chromium.image.clone().unwrap_or_default();
    let repository = text(asked.repository.as_ref()).unwrap_or(images::CHROMIUM_REPOSITORY);
    let image = if repository == images::BROWSERLESS_REPOSITORY {
        cx.ineffective(
            format!("{path}.repository"),
            format!(
                "has no effect: {repository} is not run any more; {}:{} takes its place",
                images::CHROMIUM_REPOSITORY,
                images::CHROMIUM_TAG
            ),
        );
        SidecarImage::default()
    } else {
        asked.clone()
    };
    let repository = text(image.repository.as_ref()).unwrap_or(images::CHROMIUM_REPOSITORY);
    let is_known = is_headless_shell(repository);
    // It never had a tag `latest` that anyone should run.
    let tag = text(image.tag.as_ref()).filter(|tag| !is_known || *tag != "latest");
    image::check_digest(path, Some(&image), "browser", cx);
    let image = SidecarImage { tag: tag.map(str::to_owned), ..image.clone() };
    let default = (images::CHROMIUM_REPOSITORY, images::CHROMIUM_TAG);
    if !is_known && spec_has_no_policy(spec) {
        cx.risk(
            path,
            "the entry point of this image may listen on all addresses, and without \
             `spec.security.networkPolicy` everyone in the cluster then commands the browser",
        );
    }
    (image::helper(path, Some(&image), default, spec, cx), is_known)
}

/// Whether a repository is the default one or a copy of it, under any registry.
fn is_headless_shell(repository: &str) -> bool {
    let (_, name) = images::CHROMIUM_REPOSITORY.split_once('/').unwrap_or_default();
    repository == name || repository.strip_suffix(name).is_some_and(|host| host.ends_with('/'))
}

fn spec_has_no_policy(spec: &OpenClawInstanceSpec) -> bool {
    let policy = spec.security.as_ref().and_then(|security| security.network_policy.as_ref());
    policy.and_then(|policy| policy.enabled) == Some(false)
}

fn profile(name: &InstanceName, chromium: &ChromiumSpec, cx: &mut Resolving<'_>) -> Profile {
    let persistence = chromium.persistence.clone().unwrap_or_default();
    let path = "spec.chromium.persistence";
    if persistence.enabled != Some(true) {
        return Profile::Ephemeral;
    }
    let ChromiumPersistence { enabled: _, storage_class, size, existing_claim } = persistence;
    if let Some(claim) = text(existing_claim.as_ref()) {
        let path = format!("{path}.existingClaim");
        cx.claim(Reference {
            path: &path,
            name: claim,
            missing: Some(Severity::WillNotStart),
            unseen: "whether it is there is not part of this rendering",
        });
        return Profile::Existing(claim.to_owned());
    }
    let claim = name.chromium_data();
    cx.refer(Kind::PersistentVolumeClaim, &claim);
    let size = storage::size(path, size.as_ref(), SIZE, cx);
    if let Some(seen) = cx.claim_if_seen(&claim) {
        storage::check_change(path, (&claim, seen), storage_class.as_deref(), &size, cx);
    }
    let modes = vec![storage::ACCESS_MODE.to_owned()];
    Profile::Made { claim, spec: Box::new(storage::claim_spec(modes, size, storage_class)) }
}

/// Returns the arguments: ours, with the user's in the place of those of the same flag, and then
/// the user's others.
fn arguments(
    chromium: &ChromiumSpec,
    is_started_by_us: bool,
    profile: &Profile,
    cx: &mut Resolving<'_>,
) -> Vec<String> {
    let mut arguments: Vec<String> = Vec::new();
    if is_started_by_us {
        arguments.push("--remote-debugging-address=127.0.0.1".to_owned());
        arguments.push(format!("--remote-debugging-port={}", ports::CDP));
        arguments.extend(OF_ENTRY_POINT.iter().map(|each| (*each).to_owned()));
    }
    arguments.extend(ARGUMENTS.iter().map(|each| (*each).to_owned()));
    let keeps_profile = *profile != Profile::Ephemeral;
    for (index, argument) in chromium.extra_args.iter().flatten().enumerate() {
        let flag = flag(argument);
        let path = format!("spec.chromium.extraArgs[{index}]");
        if is_started_by_us && LISTENING.contains(&flag) {
            cx.ineffective(
                path,
                format!("{flag} has no effect: the browser listens where the agent looks for it"),
            );
        } else if keeps_profile && flag == PROFILE {
            cx.ineffective(
                path,
                format!(
                    "{flag} has no effect: `spec.chromium.persistence` keeps the profile in {}",
                    paths::CHROMIUM_PROFILE
                ),
            );
        } else {
            merge(argument, &mut arguments);
        }
    }
    if keeps_profile {
        arguments.push(format!("{PROFILE}={}", paths::CHROMIUM_PROFILE));
    }
    arguments
}

fn merge(argument: &str, arguments: &mut Vec<String>) {
    let flag = flag(argument);
    let is_flag = flag.starts_with("--");
    match arguments.iter_mut().find(|other| is_flag && self::flag(other) == flag) {
        Some(ours) if LISTS.contains(&flag) => {
            if let Some((_, more)) = argument.split_once('=').filter(|(_, more)| !more.is_empty()) {
                ours.push(',');
                ours.push_str(more);
            }
        }
        Some(ours) => argument.clone_into(ours),
        None => arguments.push(argument.to_owned()),
    }
}

/// Returns what stands before the first `=`.
fn flag(argument: &str) -> &str {
    argument.split_once('=').map_or(argument, |(flag, _)| flag)
}

#[cfg(test)]
mod tests {
    use super::{is_headless_shell, merge};

    #[test]
    fn a_flag_of_the_users_takes_the_place_of_ours_and_keeps_its_spaces() {
        let mut all = ["--a=1", "--disable-features=X", "--b"].map(str::to_owned).to_vec();
        for more in
            ["--a=2 3", "--disable-features=Y,Z", "--disable-features=", "--c", "about:blank"]
        {
            merge(more, &mut all);
        }
        let expected = ["--a=2 3", "--disable-features=X,Y,Z", "--b", "--c", "about:blank"];
        assert_eq!(all, expected);
    }

    #[test]
    fn a_copy_of_the_default_image_is_started_like_it() {
        for (repository, is_one) in [
            ("docker.io/chromedp/headless-shell", true),
            ("chromedp/headless-shell", true),
            ("mirror.example.com/docker/chromedp/headless-shell", true),
            ("registry.example.com/team/notchromedp/headless-shell", false),
            ("ghcr.io/browserless/chrome", false),
        ] {
            assert_eq!(is_headless_shell(repository), is_one, "{repository}");
        }
    }
}
