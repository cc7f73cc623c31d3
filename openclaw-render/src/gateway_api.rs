//! Kinds of the Gateway API, as far as we render them: [`HTTPRoute`] of `gateway.networking.k8s.io/v1`.
//!
//! Lists of theirs are owned as a whole, with what the API server fills in; so that is written out.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

/// Which requests Gateways lead to a Service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HTTPRoute {
    /// Name, namespace, labels and owner.
    pub metadata: ObjectMeta,
    /// Gateways, hosts and where they lead.
    pub spec: HTTPRouteSpec,
}

/// Gateways, hosts and where they lead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HTTPRouteSpec {
    /// Hosts; without any, all of the listener's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
    /// Gateways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,
    /// What becomes of requests.
    pub rules: Vec<HTTPRouteRule>,
}

/// A Gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentReference {
    /// Group of its kind.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, if that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// One of its listeners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

/// What becomes of requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HTTPRouteRule {
    /// Where they lead.
    pub backend_refs: Vec<BackendReference>,
    /// Which they are.
    pub matches: Vec<HTTPRouteMatch>,
}

/// Where requests lead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BackendReference {
    /// Group of its kind; empty for that of Services.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its port.
    pub port: i32,
    /// Its share of the requests.
    pub weight: i32,
}

/// Requests, by their path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HTTPRouteMatch {
    /// The path.
    pub path: HTTPPathMatch,
}

/// A path, and how it is compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HTTPPathMatch {
    /// How it is compared.
    #[serde(rename = "type")]
    pub type_: String,
    /// The path.
    pub value: String,
}
