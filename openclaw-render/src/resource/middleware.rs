//! `Middleware`s: what Traefik does to the requests of the Ingress.
//!
//! - Present when: the Ingress is Traefik's and asks for a password, a limit or HSTS.
//! - Reads: the Secret of the password, its realm, the limit.
//! - Restarts pods: never.

use super::meta;
use crate::resolve::{IngressGuard, Resolved};
use crate::traefik::{BasicAuth, Headers, Middleware, MiddlewareSpec, RateLimit};

/// A year, as browsers' own lists ask for.
const HSTS_SECONDS: i64 = 31_536_000;
/// Seconds' worth of requests that may come at once: a page brings many files.
const BURST: i64 = 5;

pub(super) fn render(instance: &Resolved) -> Vec<Middleware> {
    let Some(ingress) = &instance.ingress else { return Vec::new() };
    let guards = ingress.middlewares.iter();
    guards
        .map(|each| Middleware {
            metadata: meta::with_owner(instance, each.name.clone()),
            spec: match &each.guard {
                IngressGuard::Password { secret, realm } => MiddlewareSpec {
                    basic_auth: Some(BasicAuth {
                        secret: secret.clone(),
                        realm: realm.clone(),
                        remove_header: true,
                    }),
                    ..MiddlewareSpec::default()
                },
                IngressGuard::Hsts => MiddlewareSpec {
                    headers: Some(Headers { sts_seconds: HSTS_SECONDS }),
                    ..MiddlewareSpec::default()
                },
                IngressGuard::Limit(average) => MiddlewareSpec {
                    rate_limit: Some(RateLimit {
                        average: i64::from(*average),
                        burst: i64::from(*average) * BURST,
                    }),
                    ..MiddlewareSpec::default()
                },
            },
        })
        .collect()
}
