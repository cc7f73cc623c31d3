//! Kinds of other projects, which a cluster may have.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use openclaw_render::Kind;
use serde_json::{Value, json};

use super::cluster::Cluster;

/// Adds the kinds that the cluster lacks, and waits until it serves them.
pub async fn install(cluster: &Cluster) {
    for (kind, spec) in kinds() {
        if is_served(cluster, kind).await {
            continue;
        }
        let definition = definition(kind, &spec);
        match definitions(cluster).create(&PostParams::default(), &definition).await {
            // Another test was faster.
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {}
            created => drop(created.expect("the definition is taken")),
        }
        let what = format!("{} is served", kind.plural());
        cluster.until(&what, async || is_served(cluster, kind).await).await;
    }
}

/// Takes the kinds away, and waits until they are gone.
pub async fn remove(cluster: &Cluster) {
    for (kind, _) in kinds() {
        definitions(cluster)
            .delete(&name(kind), &DeleteParams::default())
            .await
            .expect("the definition is removed");
        let what = format!("{} is gone", kind.plural());
        cluster.until(&what, async || !is_served(cluster, kind).await).await;
    }
}

async fn is_served(cluster: &Cluster, kind: Kind) -> bool {
    cluster.of(kind).list(&ListParams::default().limit(1)).await.is_ok()
}

fn definitions(cluster: &Cluster) -> Api<CustomResourceDefinition> {
    Api::all(cluster.client.clone())
}

fn group(kind: Kind) -> &'static str {
    kind.api_version().split_once('/').expect("a group").0
}

fn name(kind: Kind) -> String {
    format!("{}.{}", kind.plural(), group(kind))
}

/// Of the projects' own definitions, the fields that we set.
fn kinds() -> [(Kind, Value); 4] {
    [
        (Kind::ServiceMonitor, monitor()),
        (Kind::PrometheusRule, alerts()),
        (Kind::HTTPRoute, route()),
        (Kind::Middleware, middleware()),
    ]
}

fn definition(kind: Kind, spec: &Value) -> CustomResourceDefinition {
    let text = json!({"type": "string"});
    let schema = json!({
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": text, "kind": text, "metadata": {"type": "object"}, "spec": spec,
        },
    });
    let (_, version) = kind.api_version().split_once('/').expect("a version");
    serde_json::from_value(json!({
        // Groups of Kubernetes' own ask for it.
        "metadata": {
            "name": name(kind),
            "annotations": {"api-approved.kubernetes.io": "unapproved, a trimmed one for tests"},
        },
        "spec": {
            "group": group(kind),
            "names": {
                "kind": kind.as_str(), "listKind": format!("{kind}List"),
                "plural": kind.plural(), "singular": kind.as_str().to_lowercase(),
            },
            "scope": "Namespaced",
            "versions": [{
                "name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    }))
    .expect("a definition")
}

fn monitor() -> Value {
    json!({
        "type": "object",
        "required": ["endpoints", "selector"],
        "properties": {
            "endpoints": {"type": "array", "items": endpoint()},
            "namespaceSelector": {
                "type": "object",
                "properties": {"any": {"type": "boolean"}, "matchNames": texts()},
            },
            "selector": selector(),
        },
    })
}

fn alerts() -> Value {
    let words = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let rule = json!({
        "type": "object",
        "required": ["expr"],
        "properties": {
            "alert": {"type": "string"},
            "annotations": words,
            "expr": {"x-kubernetes-int-or-string": true},
            "for": {"type": "string"},
            "labels": words,
        },
    });
    let group = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "rules": {"type": "array", "items": rule},
        },
    });
    json!({
        "type": "object",
        "properties": {
            "groups": {
                "type": "array", "items": group,
                "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            },
        },
    })
}

/// Its lists are owned as a whole, and the API server fills in what is left out.
fn route() -> Value {
    let host = "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
    let name = json!({"type": "string", "minLength": 1, "maxLength": 253});
    let or = |default: &str| json!({"type": "string", "default": default});
    let list = |most: i32, items: Value| {
        json!({
            "type": "array", "x-kubernetes-list-type": "atomic", "maxItems": most, "items": items,
        })
    };
    let parent = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "group": or("gateway.networking.k8s.io"), "kind": or("Gateway"), "name": name,
            "namespace": {"type": "string", "maxLength": 63, "minLength": 1}, "sectionName": name,
        },
    });
    let backend = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "group": or(""), "kind": or("Service"), "name": name,
            "port": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 65535},
            "weight": {"type": "integer", "format": "int32", "default": 1},
        },
    });
    let everything = json!({"type": "PathPrefix", "value": "/"});
    let path = json!({
        "type": "object",
        "default": everything,
        "properties": {"type": or("PathPrefix"), "value": or("/")},
    });
    let matching = json!({"type": "object", "properties": {"path": path}});
    let mut matches = list(64, matching);
    matches["default"] = json!([{"path": everything}]);
    let rule = json!({
        "type": "object",
        "properties": {"backendRefs": list(16, backend), "matches": matches},
    });
    json!({
        "type": "object",
        "properties": {
            "hostnames": list(16, json!({"type": "string", "maxLength": 253, "pattern": host})),
            "parentRefs": list(32, parent),
            "rules": list(16, rule),
        },
    })
}

fn middleware() -> Value {
    let part = |properties: Value| json!({"type": "object", "properties": properties});
    let (text, number) = (json!({"type": "string"}), json!({"type": "integer", "format": "int64"}));
    part(json!({
        "basicAuth": part(json!({
            "realm": text, "removeHeader": {"type": "boolean"}, "secret": text,
        })),
        "headers": part(json!({"stsSeconds": number})),
        "rateLimit": part(json!({"average": number, "burst": number})),
    }))
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

fn endpoint() -> Value {
    let interval = "^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?\
                    (([0-9]+)ms)?)$";
    json!({
        "type": "object",
        "properties": {
            "honorLabels": {"type": "boolean"},
            "interval": {"type": "string", "pattern": interval},
            "path": {"type": "string"},
            "port": {"type": "string"},
        },
    })
}

fn selector() -> Value {
    let expression = json!({
        "type": "object",
        "required": ["key", "operator"],
        "properties": {
            "key": {"type": "string"}, "operator": {"type": "string"}, "values": texts(),
        },
    });
    json!({
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {
            "matchExpressions": {
                "type": "array", "x-kubernetes-list-type": "atomic", "items": expression,
            },
            "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    })
}
