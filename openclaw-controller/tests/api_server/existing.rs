//! What is stored stays what can be patched and deleted, whatever the definition refuses since.

use futures::{StreamExt, stream};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use openclaw_render::api::custom_resource_definitions;
use serde_json::{Map, Value, json};

use crate::support::cluster::Cluster;

const FINALIZER: &str = "openclaw.rocks/finalizer";
const AT_ONCE: usize = 8;

/// Keywords of a schema that refuse something. Keys of lists are required as in the Go operator's
/// definition, and so a stored item has them, see [`keys_are_required`].
const LIMITS: &[&str] = &[
    "enum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "pattern",
    "required",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-validations",
];

/// Rules that a stored object cannot break: about its name, see [`NAMES`], and about a change.
const NOT_STORED: &[&str] = &[
    "a request is made once",
    "metadata.name must",
    "only the object named",
    "storageClass cannot",
];

/// Names that were allowed once.
const NAMES: &[&str] =
    &["1agent", "team.agent", "an-agent-with-a-name-that-is-longer-than-what-is-made-of-it"];

/// A definition of a group of its own, with that schema.
fn definition(ours: &Value, group: &str, schema: &Value) -> CustomResourceDefinition {
    let mut definition = ours.clone();
    let plural = ours["spec"]["names"]["plural"].as_str().expect("a name");
    definition["metadata"]["name"] = json!(format!("{plural}.{group}"));
    definition["spec"]["group"] = json!(group);
    // Nobody else's short names.
    definition["spec"]["names"].as_object_mut().expect("names").remove("shortNames");
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = schema.clone();
    serde_json::from_value(definition).expect("a definition")
}

/// A schema of the same shape that refuses nothing.
fn without_limits(schema: &Value) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let mut loose = Map::new();
    for (keyword, value) in fields {
        match keyword.as_str() {
            keyword if LIMITS.contains(&keyword) => {}
            "properties" => {
                let children = value.as_object().expect("properties").iter();
                let children: Map<String, Value> =
                    children.map(|(name, child)| (name.clone(), without_limits(child))).collect();
                loose.insert(keyword.clone(), Value::Object(children));
            }
            "items" | "additionalProperties" => {
                let mut child = without_limits(value);
                if let Some(keys) = fields.get("x-kubernetes-list-map-keys") {
                    child["required"] = keys.clone();
                }
                loose.insert(keyword.clone(), child);
            }
            _ => _ = loose.insert(keyword.clone(), value.clone()),
        }
    }
    Value::Object(loose)
}

/// A value of that kind with as little as possible in it.
fn plain(schema: &Value, keys: &Value) -> Value {
    match schema["type"].as_str() {
        Some("array") => json!([]),
        Some("object") => {
            let keys = keys.as_array().into_iter().flatten();
            keys.map(|key| (key.as_str().expect("a name").to_owned(), json!("a"))).collect()
        }
        Some("boolean") => json!(true),
        Some("integer" | "number") => json!(1),
        _ => json!("a"),
    }
}

/// Another value of a list, and another key.
fn other(value: &Value, number: usize) -> Value {
    match value {
        Value::String(text) => json!(format!("{text}{number}")),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), other(value, number))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.clone(),
    }
}

/// What a keyword refuses, and what only it means.
fn breaks(keyword: &str, schema: &Value) -> Vec<Value> {
    let limit = &schema[keyword];
    let number = || limit.as_i64().expect("a number");
    let count = |more: i64| usize::try_from(number() + more).expect("not negative");
    let item = plain(&schema["items"], &schema["x-kubernetes-list-map-keys"]);
    let items = |count: usize| (0..count).map(|number| other(&item, number)).collect();
    match keyword {
        "enum" => vec![json!("Another")],
        "maxLength" => vec![json!("a".repeat(count(1)))],
        "minLength" => vec![json!("a".repeat(count(-1)))],
        "maxItems" => vec![items(count(1))],
        "minItems" => vec![items(count(-1))],
        "maxProperties" => {
            vec![(0..=count(0)).map(|index| (format!("a{index}"), json!("b"))).collect()]
        }
        "maximum" => vec![json!(number().saturating_add(1))],
        "minimum" => vec![json!(number() - 1)],
        "pattern" => vec![json!("\u{7}/ = not this")],
        "minProperties" | "required" => vec![json!({})],
        // Two of one key.
        "x-kubernetes-list-type" if limit != "atomic" => vec![json!([item, item])],
        _ => Vec::new(),
    }
}

/// Every field of a schema by its path, as users write it.
fn fields<'a>(schema: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>) {
    found.push((path.to_owned(), schema));
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        let dot = if path.is_empty() { "" } else { "." };
        fields(child, &format!("{path}{dot}{name}"), found);
    }
    if schema["items"].is_object() {
        fields(&schema["items"], &format!("{path}[]"), found);
    }
    if schema["additionalProperties"].is_object() {
        fields(&schema["additionalProperties"], &format!("{path}{{}}"), found);
    }
}

/// An object that has a value at a path and, besides, only the keys of the lists around it.
fn at(schema: &Value, path: &str, value: Value) -> Value {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let bare = name.trim_end_matches(['[', ']', '{', '}']);
    if bare.is_empty() {
        return value;
    }
    let field = &schema["properties"][bare];
    let inside = match &name[bare.len()..] {
        "" => return json!({bare: at(field, rest, value)}),
        "[]" => {
            let mut item = at(&field["items"], rest, value);
            let keys = plain(&field["items"], &field["x-kubernetes-list-map-keys"]);
            for (key, value) in keys.as_object().into_iter().flatten() {
                if item.get(key).is_none() {
                    item[key] = value.clone();
                }
            }
            json!([item])
        }
        "{}" => json!({"a": at(&field["additionalProperties"], rest, value)}),
        deeper => panic!("{path}: {deeper}"),
    };
    json!({bare: inside})
}

/// Objects that a schema refuses, each with what it breaks.
fn refused(schema: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    fields(schema, "", &mut all);
    let mut found = Vec::new();
    for (path, field) in all.iter().filter(|(path, _)| path.starts_with('s')) {
        for keyword in LIMITS.iter().filter(|keyword| field.get(**keyword).is_some()) {
            for value in breaks(keyword, field) {
                found.push((format!("{keyword} of {path}"), at(schema, path, value)));
            }
        }
    }
    let examples: Vec<Value> = serde_saphyr::from_str(include_str!("existing.yaml")).expect("YAML");
    let rules = all.iter().flat_map(|(path, field)| {
        let rules = field["x-kubernetes-validations"].as_array().into_iter().flatten();
        rules.map(move |rule| (path, rule["message"].as_str().expect("a message")))
    });
    for (path, message) in rules.filter(|(_, message)| !begins_with(message, NOT_STORED)) {
        let is_about = |example: &&Value| {
            let rule = example["rule"].as_str().expect("the beginning of a message");
            let places = example["at"].as_array().expect("places");
            message.starts_with(rule) && places.iter().any(|place| place == path)
        };
        let example = examples.iter().find(is_about);
        let example = example.unwrap_or_else(|| panic!("nothing breaks {path}: {message}"));
        found.push((format!("{message} of {path}"), at(schema, path, example["breaks"].clone())));
    }
    found
}

fn begins_with(text: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| text.starts_with(beginning))
}

/// Stores an object as it was allowed once, with a status if it is about that.
async fn store(api: &Api<DynamicObject>, name: &str, object: &Value) -> Result<(), kube::Error> {
    let mut object = object.clone();
    object["metadata"] = json!({"name": name, "finalizers": [FINALIZER]});
    let created = serde_json::from_value(object.clone()).expect("an object");
    api.create(&PostParams::default(), &created).await?;
    if object.get("status").is_some() {
        let status = json!({"status": object["status"]});
        api.patch_status(name, &PatchParams::default(), &Patch::Merge(&status)).await?;
    }
    Ok(())
}

/// What the operator does to every instance, and what Kubernetes does in the end.
async fn look_after(api: &Api<DynamicObject>, name: &str) -> Result<(), kube::Error> {
    let parameters = PatchParams::default();
    let patch = |patch: Value| Patch::<()>::Json(serde_json::from_value(patch).expect("a patch"));
    let add = json!([{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/mine"}]);
    api.patch(name, &parameters, &patch(add)).await?;
    let condition = json!({
        "type": "Ready", "status": "False", "reason": "InvalidSpec", "message": "as it is",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let status = json!([{"op": "add", "path": "/status", "value": {"conditions": [condition]}}]);
    api.patch_status(name, &parameters, &patch(status)).await?;
    api.delete(name, &DeleteParams::background()).await?;
    for _ in 0..2 {
        let remove = json!([{"op": "remove", "path": "/metadata/finalizers/0"}]);
        api.patch(name, &parameters, &patch(remove)).await?;
    }
    Ok(())
}

/// Keys of lists that are merged by key, in the Go operator's definitions. Without its key the API
/// server could not tell a stored item from a new one, and would hold it to the rules of new ones.
#[test]
fn keys_are_required() {
    let theirs = [
        include_str!("../../../openclaw-render/tests/data/crds/openclawclusterdefaults.json"),
        include_str!("../../../openclaw-render/tests/data/crds/openclawinstances.json"),
    ];
    let ours = custom_resource_definitions();
    let ours = ours.iter().filter(|ours| ours["spec"]["group"] == "openclaw.rocks");
    for (ours, theirs) in ours.zip(theirs) {
        let theirs: Value = serde_json::from_str(theirs).expect("JSON");
        let (mut ours_all, mut theirs_all) = (Vec::new(), Vec::new());
        fields(&ours["spec"]["versions"][0]["schema"]["openAPIV3Schema"], "", &mut ours_all);
        fields(&theirs["schema"], "", &mut theirs_all);
        for (path, field) in ours_all {
            let keys = field["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            for key in keys {
                let item = theirs_all.iter().find(|(place, _)| *place == format!("{path}[]"));
                let Some((_, item)) = item else { continue };
                let required = item["required"].as_array().into_iter().flatten();
                assert!(required.into_iter().any(|it| it == key), "{key} of {path}");
            }
        }
    }
}

/// Refused wherever there is the scale subresource, whatever the schema says: nobody can have stored
/// it.
const BY_THE_SUBRESOURCE: &[&str] = &["minimum of spec.replicas"];

#[tokio::test]
async fn nothing_stored_becomes_undeletable_by_a_rule_that_came_later() {
    let cluster = Cluster::namespace("existing").await;
    let group = format!("{}.example.com", cluster.namespace);
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let mut numbers = Vec::new();
    for ours in custom_resource_definitions() {
        let schema = &ours["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let earlier = definition(&ours, &group, &without_limits(schema));
        let now = definition(&ours, &group, schema);
        let name = earlier.metadata.name.clone().expect("a name");
        definitions.create(&PostParams::default(), &earlier).await.expect("it is created");
        let kind = ours["spec"]["names"]["kind"].as_str().expect("a kind");
        let plural = ours["spec"]["names"]["plural"].as_str().expect("a name");
        let version = ours["spec"]["versions"][0]["name"].as_str().expect("a version");
        let version = format!("{group}/{version}");
        let api = if ours["spec"]["scope"] == "Cluster" {
            cluster.everywhere(&version, kind, plural)
        } else {
            cluster.api(&version, kind, plural)
        };
        let typed = |object: &Value| {
            let mut object = object.clone();
            object["apiVersion"] = json!(version);
            object["kind"] = json!(kind);
            object
        };
        cluster
            .until("the earlier definition serves", async || {
                let object = typed(&json!({}));
                match store(&api, "the-first", &object).await {
                    Ok(()) => true,
                    Err(kube::Error::Api(status)) => status.code == 409,
                    Err(_) => false,
                }
            })
            .await;
        let mut objects: Vec<(String, String, Value)> = NAMES
            .iter()
            .map(|name| (format!("name {name}"), (*name).to_owned(), json!({"spec": {}})))
            .collect();
        for (index, (what, object)) in refused(schema).into_iter().enumerate() {
            if BY_THE_SUBRESOURCE.contains(&what.as_str()) {
                continue;
            }
            objects.push((what, format!("object-{index}"), object));
        }
        stream::iter(&objects)
            .for_each_concurrent(AT_ONCE, async |(what, name, object)| {
                let stored = store(&api, name, &typed(object)).await;
                stored.unwrap_or_else(|error| panic!("{what}: {error}"));
            })
            .await;

        let parameters = PatchParams::apply("helm").force();
        definitions.patch(&name, &parameters, &Patch::Apply(&now)).await.expect("it is changed");
        cluster
            .until("the definition of today serves", async || {
                let parameters = PostParams { dry_run: true, ..PostParams::default() };
                let new = typed(&json!({"metadata": {"name": "1new"}, "spec": {}}));
                let new = serde_json::from_value(new).expect("an object");
                api.create(&parameters, &new).await.is_err()
            })
            .await;
        let failed: Vec<String> = stream::iter(&objects)
            .map(async |(what, name, _)| {
                let done = look_after(&api, name).await;
                done.err().map(|error| format!("{what}: {error}"))
            })
            .buffer_unordered(AT_ONCE)
            .filter_map(async |failed| failed)
            .collect()
            .await;
        assert!(failed.is_empty(), "{} of {kind}:\n{}", failed.len(), failed.join("\n"));
        numbers.push(objects.len());
        definitions.delete(&name, &DeleteParams::background()).await.expect("it is deleted");
    }
    assert!(numbers.iter().sum::<usize>() > 300, "{numbers:?}");
    cluster.end().await;
}
