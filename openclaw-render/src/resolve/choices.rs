//! [`Choices`]: what annotations of the instance ask for that reaches the pod.

use super::context::Resolving;
use crate::api::OpenClawInstance;
use crate::version::Version;
use crate::vocab::annotations;

/// What the user asks for by annotations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    /// The image's own entry point is to start the gateway.
    pub(crate) entry_point_of_image: bool,
    /// The version that may run although a newer one last ran on the volume.
    pub(crate) downgrade: Option<Version>,
}

impl Choices {
    /// `told` is the version that the spec tells: a downgrade to another one is not in effect.
    pub(super) fn resolve(
        instance: &OpenClawInstance,
        told: Option<Version>,
        cx: &mut Resolving<'_>,
    ) -> Self {
        let value = |key| instance.metadata.annotations.as_ref()?.get(key).map(String::as_str);
        let mut ineffective = |key, why: String| {
            let message = format!("has no effect: {why}");
            cx.ineffective(Self::path(key), message);
        };
        let entry_point = value(annotations::ENTRYPOINT);
        let of_image = entry_point == Some(annotations::ENTRYPOINT_IMAGE);
        if let Some(other) = entry_point.filter(|_| !of_image) {
            ineffective(
                annotations::ENTRYPOINT,
                format!("the only value is {}, not {other:?}", annotations::ENTRYPOINT_IMAGE),
            );
        }
        let downgrade = value(annotations::ALLOW_DOWNGRADE);
        let version = downgrade.and_then(Version::from_tag);
        match (downgrade, version, told) {
            (Some(text), None, _) => ineffective(
                annotations::ALLOW_DOWNGRADE,
                format!("{text:?} is not a version, such as {}", Version::NEWEST),
            ),
            (_, Some(version), Some(told)) if version != told => ineffective(
                annotations::ALLOW_DOWNGRADE,
                format!("it allows {version}, and the spec asks for {told}; remove it"),
            ),
            _ => {}
        }
        Self {
            entry_point_of_image: of_image,
            downgrade: version.filter(|version| told.is_none_or(|told| told == *version)),
        }
    }

    /// Where problems say that an annotation is.
    pub(super) fn path(key: &str) -> String {
        format!("metadata.annotations[{key}]")
    }

    /// What is in effect, for the hash of what users own; nothing where no annotation is.
    pub(crate) fn in_effect(&self) -> Vec<String> {
        let entry_point = self.entry_point_of_image.then(|| annotations::ENTRYPOINT.to_owned());
        let downgrade =
            self.downgrade.map(|version| format!("{}={version}", annotations::ALLOW_DOWNGRADE));
        entry_point.into_iter().chain(downgrade).collect()
    }
}
