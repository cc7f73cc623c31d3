//! The agent's image and the version that it runs.

use k8s_openapi::api::core::v1::LocalObjectReference;

use super::context::{Reference, Resolving};
use super::defaults::text;
use crate::api::ConditionType::SecretsReady;
use crate::api::{OpenClawInstanceSpec, PullPolicy, SidecarImage};
use crate::problem::Severity;
use crate::version::Version;
use crate::vocab::grammar::is_version;
use crate::vocab::images;

/// The agent's image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Image {
    /// Full reference, registry override applied.
    pub(crate) reference: String,
    /// When the kubelet pulls it.
    pub(crate) pull_policy: PullPolicy,
    /// Secrets for pulling it and the helpers.
    pub(crate) pull_secrets: Vec<LocalObjectReference>,
    /// The version that the configuration is rendered for.
    pub(crate) version: Version,
    /// The version that the spec tells; `None` where it must be guessed.
    pub(crate) told: Option<Version>,
}

pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Image {
    let image = spec.image.clone().unwrap_or_default();
    let digest = text(image.digest.as_ref());
    let tag = text(image.tag.as_ref());
    let written = tag.unwrap_or(images::AGENT_TAG);
    let reference = reference("spec.image", repository(spec), written, digest, cx);
    for (index, secret) in image.pull_secrets.iter().flatten().enumerate() {
        let path = &format!("spec.image.pullSecrets[{index}].name");
        if secret.name.is_empty() {
            cx.error(path, "is empty: name the Secret or remove the entry");
            continue;
        }
        // The kubelet tries without it: the image may be public, or there already.
        let missing = Some(Severity::Advice);
        let unseen = "whether the image can be pulled with it could not be checked";
        let reference = Reference { path, name: &secret.name, missing, unseen };
        cx.about(SecretsReady, |cx| cx.secret(reference));
    }
    let (name, pinned) = tag.map_or((None, None), |tag| {
        let (name, pinned) = parts(tag);
        (Some(name), pinned)
    });
    let told = version(name, digest.or(pinned), text(image.version.as_ref()), cx);
    Image {
        reference: with_override(spec, &reference),
        pull_policy: image.pull_policy.unwrap_or(PullPolicy::IfNotPresent),
        pull_secrets: unique(image.pull_secrets.unwrap_or_default()),
        version: told.unwrap_or(Version::NEWEST),
        told,
    }
}

/// Returns the image of a helper, registry override applied; what the user leaves out is that of
/// our own, and so is a short name of ours, as the Go operator stored it in every spec: CRI-O takes
/// none.
pub(super) fn helper(
    path: &str,
    image: Option<&SidecarImage>,
    (default, tag): (&str, &str),
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> String {
    let asked = text(image.and_then(|image| image.repository.as_ref()));
    let repository = asked.filter(|asked| !images::is_short_for(asked, default));
    let repository = repository.unwrap_or(default);
    let tag = text(image.and_then(|image| image.tag.as_ref())).unwrap_or(tag);
    let digest = text(image.and_then(|image| image.digest.as_ref()));
    with_override(spec, &reference(path, repository, tag, digest, cx))
}

/// Takes a tag apart that has its digest with it, as Renovate writes them.
fn parts(tag: &str) -> (&str, Option<&str>) {
    tag.split_once('@').map_or((tag, None), |(tag, digest)| (tag, Some(digest)))
}

/// Returns the reference of an image, whose parts are checked by [`super::bounds`].
fn reference(
    path: &str,
    repository: &str,
    tag: &str,
    digest: Option<&str>,
    cx: &mut Resolving<'_>,
) -> String {
    if let (_, Some(pinned)) = parts(tag)
        && digest.is_some_and(|digest| digest != pinned)
    {
        cx.error(
            format!("{path}.tag"),
            format!("{pinned:?} is not the image's digest: write one of the two"),
        );
    }
    images::reference(repository, tag, digest)
}

/// Repository of the agent's image, before any registry override.
pub(super) fn repository(spec: &OpenClawInstanceSpec) -> &str {
    let image = spec.image.as_ref();
    text(image.and_then(|image| image.repository.as_ref())).unwrap_or(images::AGENT_REPOSITORY)
}

/// Applies `spec.registry`.
pub(super) fn with_override(spec: &OpenClawInstanceSpec, reference: &str) -> String {
    match text(spec.registry.as_ref()) {
        Some(registry) => images::with_registry(reference, registry),
        None => reference.to_owned(),
    }
}

/// Pull secrets are a map by name in the pod: one of a name is enough.
fn unique(secrets: Vec<LocalObjectReference>) -> Vec<LocalObjectReference> {
    let mut kept: Vec<LocalObjectReference> = Vec::new();
    for secret in secrets {
        if !kept.contains(&secret) {
            kept.push(secret);
        }
    }
    kept
}

/// Says that an image may become another one by itself: it has neither digest nor a tag of its own.
pub(super) fn check_pinned(
    path: &str,
    (tag, digest): (Option<&str>, Option<&str>),
    moving: &str,
    (what, remedy): (&str, &str),
    cx: &mut Resolving<'_>,
) {
    if digest.is_none() && tag.is_none_or(|tag| tag == moving) {
        cx.risk(
            format!("{path}.tag"),
            format!(
                "without a tag or digest, or with `{moving}`, a restart may bring another {what}: \
                 pin a {remedy}"
            ),
        );
    }
}

/// Says that what runs beside all that the agent holds has no digest: whoever may push to its
/// repository may give the same tag to another image.
pub(super) fn check_digest(
    path: &str,
    image: Option<&SidecarImage>,
    what: &str,
    cx: &mut Resolving<'_>,
) {
    let is_pinned = image.is_some_and(|image| {
        text(image.digest.as_ref()).is_some()
            || image.tag.as_ref().is_some_and(|tag| tag.contains('@'))
    });
    if !is_pinned {
        cx.risk(
            format!("{path}.digest"),
            format!(
                "is not set, so a restart may bring another {what} under the same tag: pin the \
                 digest of one that you trust"
            ),
        );
    }
}

fn version(
    tag: Option<&str>,
    digest: Option<&str>,
    stated: Option<&str>,
    cx: &mut Resolving<'_>,
) -> Option<Version> {
    let stated_version = stated.and_then(Version::from_tag);
    // What is written in another way is refused by the limits of the API.
    if let (Some(stated), None) = (stated, stated_version)
        && is_version(stated)
    {
        cx.error(
            "spec.image.version",
            format!(
                "{stated:?} is not a version: write `YYYY.M.P`, for example `{}`",
                Version::NEWEST
            ),
        );
    }
    check_pinned("spec.image", (tag, digest), images::AGENT_TAG, ("version", "release"), cx);
    if let Some(read) = tag.and_then(Version::from_tag) {
        if stated_version.is_some_and(|stated| stated != read) {
            cx.ineffective(
                "spec.image.version",
                format!("has no effect: the tag says {read}; remove one of the two"),
            );
        }
        return Some(read);
    }
    if stated_version.is_none() {
        cx.risk(
            "spec.image.version",
            format!(
                "the image does not tell its version, so the configuration is rendered for {}: set \
                 `spec.image.version` if it runs another one",
                Version::NEWEST
            ),
        );
    }
    stated_version
}
