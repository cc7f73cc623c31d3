//! Certificates that the agent trusts besides those of its image; not rendered yet.

use super::context::Resolving;
use super::defaults::text;
use crate::api::OpenClawInstanceSpec;

/// Reports a bundle that comes from nowhere or from two places.
pub(super) fn check(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    if let Some(bundle) = spec.security.as_ref().and_then(|each| each.ca_bundle.as_ref()) {
        let names = [&bundle.config_map_name, &bundle.secret_name];
        if names.iter().filter(|name| text(name.as_ref()).is_some()).count() != 1 {
            cx.error(
                "spec.security.caBundle",
                "must have exactly one of `configMapName` and `secretName`",
            );
        }
    }
}
