//! Who starts the gateway in the agent's container: our helper, or the image's own entry point.
//!
//! From 2026.9.7 on the official image repairs state and configuration before every start, which
//! fails while the configuration is read-only. The helper starts the gateway as earlier images did.

use super::Choices;
use super::context::Resolving;
use super::image::Image;
use crate::vocab::{annotations, images};

/// Who starts the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryPoint {
    /// `openclaw-cli pod start`.
    Helper,
    /// Whatever the image names.
    Image,
}

/// The official image is always started by the helper. Images of other repositories may have an
/// entry point of their own that matters; they keep it as long as it can be the old one, that is
/// unless the spec tells a version from 2026.9.7 on.
pub(super) fn resolve(
    repository: &str,
    image: &Image,
    choices: &Choices,
    cx: &mut Resolving<'_>,
) -> EntryPoint {
    let repairs_first = image.told.filter(|version| version.repairs_before_start());
    if choices.entry_point_of_image {
        if let Some(version) = repairs_first {
            cx.risk(
                Choices::path(annotations::ENTRYPOINT),
                format!(
                    "the entry point that {version} is published with repairs its configuration \
                     first and fails, since that is read-only: remove the annotation unless your \
                     image has another one"
                ),
            );
        }
        return EntryPoint::Image;
    }
    if images::OFFICIAL_REPOSITORIES.contains(&repository) {
        return EntryPoint::Helper;
    }
    let Some(version) = repairs_first else { return EntryPoint::Image };
    cx.ineffective("spec.image.repository", format!(
            "the image's own entry point is not run, since the one that {version} is published with \
             cannot start here: if yours does more than that, set annotation {}={}",
            annotations::ENTRYPOINT,
            annotations::ENTRYPOINT_IMAGE,
        ));
    EntryPoint::Helper
}
