//! `Secret`s, made once and never overwritten: of the gateway's token, and those that parts fill. To
//! rotate the token, change or delete its Secret.
//!
//! - Present when: `spec.gateway.existingSecret` names no other one; a part has one.
//! - Reads: randomness, only to make the token.
//! - Restarts pods: when its content changes, since the token is in the environment.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::meta;
use super::stake::{Rendered, Stake, WhileHeld};
use crate::pod::Part;
use crate::resolve::{GatewayToken, Resolved};
use crate::vocab::names;

pub(super) fn render(instance: &Resolved) -> Option<Rendered> {
    let GatewayToken::Made { random, .. } = &instance.token else { return None };
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

/// Those that parts of the pod fill themselves.
pub(super) fn of_parts(instance: &Resolved, parts: &[Part]) -> Vec<Secret> {
    let names = parts.iter().flat_map(|part| &part.secrets);
    names
        .map(|name| Secret {
            metadata: meta::with_owner(instance, name.clone()),
            type_: Some("Opaque".to_owned()),
            ..Default::default()
        })
        .collect()
}
