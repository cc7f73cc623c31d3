//! A version that is older than the one which last ran on the volume: its state is newer than it
//! can read, and there is no way back.

use super::Choices;
use super::context::Resolving;
use super::image::Image;
use super::storage::Storage;
use crate::api::OpenClawInstance;
use crate::power::{Off, Power};
use crate::version::Version;
use crate::vocab::annotations;

/// Reports a version that is older. The spec must tell which one it is; otherwise the pod finds out.
pub(super) fn check(
    instance: &OpenClawInstance,
    image: &Image,
    storage: &Storage,
    choices: &Choices,
    power: Power,
    cx: &mut Resolving<'_>,
) {
    if power == Power::Off(Off::Restoring) {
        // What lies on the volume is about to be another state.
        return;
    }
    let Some(claim) = storage.volume.claim() else { return };
    let status = instance.status.as_ref().and_then(|status| status.volume.as_ref());
    let Some(last) = status.filter(|volume| volume.claim.as_deref() == Some(claim)) else { return };
    // A claim that was made anew is another volume.
    let seen = cx.claim_if_seen(claim);
    if seen.is_some_and(|seen| Some(&seen.uid) != last.uid.as_ref()) {
        return;
    }
    let newest = last.version.as_deref().and_then(Version::from_tag);
    let (Some(version), Some(newest)) = (image.told, newest) else { return };
    if version < newest && choices.downgrade != Some(version) {
        let volume = format!("the volume of claim {claim}");
        let message = refused_downgrade(version, newest, &volume);
        cx.will_not_start("spec.image", message);
    }
}

/// Why a version is not started on a volume, and the ways out: in a condition before the pod is
/// replaced, or else in the pod.
#[must_use]
pub fn refused_downgrade(version: Version, last: Version, volume: &str) -> String {
    format!(
        "{version} is older than {last}, which last ran on {volume}, and cannot read what that left \
         there: go back to {last} or a later version, or restore a backup of the volume into a new \
         claim; if you know that the state on this one fits, set annotation {}={version} on the \
         instance",
        annotations::ALLOW_DOWNGRADE,
    )
}
