//! Kinds of Traefik, as far as we render them: [`Middleware`] of `traefik.io/v1alpha1`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

/// What Traefik does to requests before they are led on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Middleware {
    /// Name, namespace, labels and owner.
    pub metadata: ObjectMeta,
    /// What it does; one thing.
    pub spec: MiddlewareSpec,
}

/// What it does; one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MiddlewareSpec {
    /// It asks for a name and a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// It adds headers to answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Headers>,
    /// It limits the requests of each client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
}

/// A name and a password that are asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuth {
    /// Secret of who may come in, in the namespace of the Middleware.
    pub secret: String,
    /// What browsers show.
    pub realm: String,
    /// Whether what was entered goes no further.
    pub remove_header: bool,
}

/// Headers of answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Headers {
    /// For how many seconds browsers use only HTTPS from then on.
    pub sts_seconds: i64,
}

/// A limit on the requests of each client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Requests per second.
    pub average: i64,
    /// Requests that may come at once.
    pub burst: i64,
}
