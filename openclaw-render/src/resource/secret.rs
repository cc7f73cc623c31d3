//! `Secret`s, made once and never overwritten: of the gateway's token, of the Ingress's password, and
//! those that parts fill. To rotate a token or password, change or delete its Secret.
//!
//! - Present when: `spec.gateway.existingSecret` names no other one; the Ingress asks for a password;
//!   a part has one.
//! - Reads: randomness, only to make token and password.
//! - Restarts pods: when the token changes, since it is in the environment.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::meta;
use super::stake::{Rendered, Stake, WhileHeld};
use crate::pod::Part;
use crate::resolve::{GatewayToken, Resolved, SecretForm};
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
        goes: false,
    })
}

/// The name and password that the Ingress asks for. Without the Secret, its controller lets nobody in.
pub(super) fn of_ingress(instance: &Resolved) -> Option<Rendered> {
    let auth = instance.ingress.as_ref()?.auth.as_ref()?;
    let made = auth.made.as_ref()?;
    let is_typed = auth.form == SecretForm::Typed;
    let (password, line) = made.content.as_ref().map(|(password, line)| (password, line)).unzip();
    let entries = [
        // A typed Secret has one of its keys in a preview, too: the API server demands it.
        (
            names::BASIC_AUTH_USERNAME_KEY,
            Some(&made.username).filter(|_| is_typed || line.is_some()),
        ),
        (names::BASIC_AUTH_PASSWORD_KEY, password),
        (names::BASIC_AUTH_KEY, line.filter(|_| !is_typed)),
    ];
    let data: BTreeMap<String, ByteString> = entries
        .into_iter()
        .filter_map(|(key, text)| Some((key.to_owned(), ByteString(text?.clone().into_bytes()))))
        .collect();
    let secret = Secret {
        metadata: meta::with_owner(instance, auth.secret.clone()),
        data: (!data.is_empty()).then_some(data),
        type_: Some(if is_typed { "kubernetes.io/basic-auth" } else { "Opaque" }.to_owned()),
        ..Default::default()
    };
    Some(Rendered {
        object: secret.into(),
        stake: Stake::Beside,
        lacks: made.content.is_none().then_some("a random password"),
        goes: false,
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
