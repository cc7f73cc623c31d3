//! `Secret`s, made once and never overwritten: of the gateway's token, of the Ingress's password, and
//! those that parts fill. To rotate a token or password, change or delete its Secret.
//!
//! - Present when: `spec.gateway.existingSecret` names no other one; the Ingress asks for a password;
//!   a part has one.
//! - Reads: randomness, only to make token and password.
//! - Restarts pods: when the token changes, since it is in the environment.

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

/// The name and password that the Ingress asks for. Without the Secret, its controller lets nobody in.
pub(super) fn of_ingress(instance: &Resolved) -> Option<Rendered> {
    let auth = instance.ingress.as_ref()?.auth.as_ref()?;
    let made = auth.made.as_ref()?;
    let data = made.content.as_ref().map(|(password, line)| {
        let entries = [
            (names::BASIC_AUTH_KEY, line),
            (names::BASIC_AUTH_PASSWORD_KEY, password),
            (names::BASIC_AUTH_USERNAME_KEY, &made.username),
        ];
        entries.map(|(key, text)| (key.to_owned(), ByteString(text.clone().into_bytes()))).into()
    });
    let secret = Secret {
        metadata: meta::with_owner(instance, auth.secret.clone()),
        data,
        type_: Some("Opaque".to_owned()),
        ..Default::default()
    };
    Some(Rendered {
        object: secret.into(),
        stake: Stake::Beside,
        lacks: made.content.is_none().then_some("a random password"),
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
