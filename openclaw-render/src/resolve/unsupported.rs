//! Fields that the API has and this version does not render: none now.
//!
//! Such a field is never silence: an instance that sets one gets no writes and no prune, and
//! condition `Unsupported` lists the fields. A field counts as set when it asks for something; the
//! settings of a feature that is off ask for nothing.

use super::context::Resolving;
use crate::api::OpenClawInstanceSpec;

type IsSet = fn(&OpenClawInstanceSpec) -> bool;

/// Every such field, sorted by path, and how to tell that it is set.
pub(crate) const FIELDS: &[(&str, IsSet)] = &[];

/// Reports the fields that are set.
pub(super) fn check(merged: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    for (path, _) in FIELDS.iter().filter(|(_, is_set)| is_set(merged)) {
        cx.unsupported(*path);
    }
}
