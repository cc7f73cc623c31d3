//! The Secret with the gateway's token.

use super::Auth;
use super::context::Resolving;
use super::defaults::text;
use crate::api::OpenClawInstanceSpec;
use crate::hash;
use crate::object::Kind;
use crate::problem::Severity;
use crate::vocab::names::{InstanceName, TOKEN_KEY};

/// The Secret with the gateway's token.
#[derive(Clone, PartialEq)]
pub(crate) enum GatewayToken {
    /// Ours, made once.
    Made {
        /// Randomness for making it; nothing in previews.
        random: Option<String>,
        /// Hash of the token that it holds or will hold.
        hash: Option<String>,
    },
    /// The user's, by name.
    Existing(String),
}

/// A token is never printed.
impl std::fmt::Debug for GatewayToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Made { hash, .. } => {
                f.debug_struct("Made").field("hash", hash).finish_non_exhaustive()
            }
            Self::Existing(name) => f.debug_tuple("Existing").field(name).finish(),
        }
    }
}

/// Decides whose Secret it is.
pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    name: &InstanceName,
    auth: Auth,
    cx: &mut Resolving<'_>,
) -> GatewayToken {
    let gateway = spec.gateway.as_ref();
    let existing = text(gateway.and_then(|gateway| gateway.existing_secret.as_ref()));
    if let Some(existing) = existing {
        // Also while nothing is taken from it: a change of openclaw.json can need it at once.
        cx.refer(Kind::Secret, existing);
        check_empty(auth, existing, "spec.gateway.existingSecret", cx);
        return GatewayToken::Existing(existing.to_owned());
    }
    let own = name.gateway_token();
    let keys = cx.secret_if_seen(&own);
    if auth == Auth::SecretToken && keys.is_some_and(|keys| !keys.contains_key(TOKEN_KEY)) {
        cx.missing_key(
            "spec.gateway",
            Severity::WillNotStart,
            format!(
                "Secret {own:?} has no key {TOKEN_KEY:?}: add one, or delete the Secret and the \
                 operator makes another"
            ),
        );
    }
    check_empty(auth, &own, "spec.gateway", cx);
    if cx.is_lent(Kind::Secret, &own) {
        cx.ineffective(
            "spec.gateway.existingSecret",
            format!(
                "is not set, and Secret {own:?}, which another has made, is used as it is: name \
                 it here"
            ),
        );
    }
    // The Secret that is about to be made already counts with the value that it will have:
    // otherwise its appearance would replace the first pod.
    let hash = match keys {
        Some(keys) => keys.get(TOKEN_KEY).cloned(),
        None => cx.observed.random_token.as_deref().map(hash::of),
    };
    GatewayToken::Made { random: cx.observed.random_token.clone(), hash }
}

/// With an empty token the application makes one at each start, which nobody knows.
fn check_empty(auth: Auth, secret: &str, path: &str, cx: &mut Resolving<'_>) {
    let keys = cx.secret_if_seen(secret).filter(|_| auth == Auth::SecretToken);
    if keys.and_then(|keys| keys.get(TOKEN_KEY)).is_some_and(|token| *token == hash::of("")) {
        cx.missing_key(
            path,
            Severity::WillNotStart,
            format!("key {TOKEN_KEY:?} of Secret {secret:?} is empty: nobody could sign in"),
        );
    }
}
