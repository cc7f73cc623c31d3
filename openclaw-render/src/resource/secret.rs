//! `Secret` of the gateway's token: made once, never overwritten. To rotate the token, change or
//! delete the Secret.
//!
//! - Present when: `spec.gateway.existingSecret` names no other one.
//! - Reads: randomness, only to make it.
//! - Restarts pods: when its content changes, since the token is in the environment.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::meta;
use super::stake::{Rendered, Stake, WhileHeld};
use crate::resolve::{GatewayToken, Resolved};
use crate::vocab::names;

pub(super) fn render(instance: &Resolved) -> Option<Rendered> {
    let GatewayToken::Own { random, .. } = &instance.token else { return None };
    let data = random.as_ref().map(|token| {
        [(names::TOKEN_KEY.to_owned(), ByteString(token.clone().into_bytes()))].into()
    });
    let secret = Secret {
        metadata: meta::with_owner(instance, instance.name.gateway_token()),
        data,
        type_: Some("Opaque".to_owned()),
        ..Default::default()
    };
    Some(Rendered {
        object: secret.into(),
        stake: Stake::Needed(WhileHeld::Changes),
        // A token that is not random would be worse than none.
        lacks: random.is_none().then_some("a random token"),
    })
}
