//! Laws that hold for whatever the schema allows, and for whatever it does not.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: what is broken must be loud"
)]

#[path = "../support/fixtures.rs"]
mod fixtures;
mod generated;

use generated::{Choices, SCHEMA, any_json, document, entropy};
use openclaw_render::{
    Documents, Fact, Found, Kind, Object, Observed, Read, Settings, canonical, decode_instance,
    plan, render, render_instance, resolve, violations,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// Enough to find what is wrong over some days of CI, few enough to wait for.
const CASES: u32 = 240;

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(
        config,
        // The same cases every time: a red build is red for everybody.
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    )
}

fn texts(objects: &[Object]) -> Vec<String> {
    objects.iter().map(Object::to_yaml).collect()
}

#[test]
fn whatever_the_schema_allows_renders_consistently_or_is_refused() {
    let resolved_specs = std::cell::Cell::new(0);
    let property = |entropy: Vec<u32>| {
        let spec = Choices::new(&entropy).value(&SCHEMA, 0);
        let Ok((instance, _)) = decode_instance(document(&spec)) else { return Ok(()) };
        let settings = Settings::default();
        let observed =
            Observed { random_token: Some("fixture-token".to_owned()), ..Observed::default() };
        let resolution = resolve(&instance, &observed, &settings);
        let Some(resolved) = &resolution.resolved else {
            prop_assert!(!resolution.problems.is_empty(), "refused without a word: {spec}");
            return Ok(());
        };
        resolved_specs.set(resolved_specs.get() + 1);
        let objects = render(resolved);
        prop_assert_eq!(violations(&objects), Vec::<String>::new(), "{}", spec);
        prop_assert_eq!(&texts(&objects), &texts(&render(resolved)));
        for object in &objects {
            let value = object.to_value();
            let mut again = value.clone();
            canonical::canonicalise(&mut again);
            prop_assert_eq!(&value, &again, "{} is not canonical", object.key());
        }
        Ok(())
    };
    runner(CASES).run(&entropy(), property).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        resolved_specs.get() > i32::try_from(CASES / 6).expect("small"),
        "only {} specs were good enough to say anything",
        resolved_specs.get()
    );
}

#[test]
fn with_cluster_defaults_known_a_plan_asks_twice_at_most() {
    let property = |entropy: Vec<u32>| {
        let spec = Choices::new(&entropy).value(&SCHEMA, 0);
        let Ok((instance, _)) = decode_instance(document(&spec)) else { return Ok(()) };
        let mut observed = Observed {
            random_token: Some("fixture-token".to_owned()),
            // Unknown defaults cost a round of their own: what else is referred to depends on them.
            cluster_defaults: Fact::Absent,
            pods: Fact::Known(Vec::new()),
            ..Observed::default()
        };
        let mut asked = Vec::new();
        for round in 0..3 {
            let plan = plan(&instance, &observed, &Settings::default());
            if plan.reads.is_empty() {
                return Ok(());
            }
            asked.push(format!("{:?}", plan.reads));
            prop_assert!(round < 2, "asks a third time: {asked:#?}");
            for read in plan.reads {
                // Nothing is there.
                observed.look(&read, None, "ada");
                if read == Read::ClusterDefaults {
                    observed.cluster_defaults = Fact::Absent;
                }
            }
        }
        Ok(())
    };
    runner(CASES / 2).run(&entropy(), property).unwrap_or_else(|error| panic!("{error}"));
}

/// JSON with the keys of every object in an order of its own.
fn shuffled(value: &Value, turn: usize, text: &mut String) {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            let length = entries.len().max(1);
            entries.rotate_left(turn % length);
            if turn % 2 == 1 {
                entries.reverse();
            }
            text.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                shuffled(value, turn, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                shuffled(item, turn, text);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}

/// Objects and problems of all instances among documents.
fn everything(documents: &Documents) -> (Vec<String>, Vec<String>) {
    let mut objects = Vec::new();
    let mut problems: Vec<String> =
        documents.problems.iter().map(|found| found.value.to_string()).collect();
    for Found { value: instance, .. } in &documents.instances {
        let observed = documents.observed(instance);
        let (rendered, found) = render_instance(instance, &observed, &Settings::default());
        objects.extend(texts(&rendered));
        problems.extend(found.iter().map(ToString::to_string));
    }
    problems.sort();
    (objects, problems)
}

#[test]
fn neither_the_order_of_keys_nor_of_documents_matters() {
    let world = [
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "sample", "namespace": "agents"},
            "data": {"openclaw.json": "{\"a\": {}}", "b": "2"}}),
        json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "a", "namespace": "agents"}, "stringData": {"b": "2", "a": "1"}}),
        json!({"apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawClusterDefaults",
            "metadata": {"name": "cluster"},
            "spec": {"registry": "mirror.example.com", "env": [{"name": "B", "value": "c"}]}}),
    ];
    let property = |(entropy, turn): (Vec<u32>, usize)| {
        let spec = Choices::new(&entropy).value(&SCHEMA, 0);
        let mut documents = vec![document(&spec)];
        documents.extend(world.clone());
        let straight = everything(&Documents::read(documents.clone()));
        documents.rotate_left(turn % 4);
        let mut text = String::new();
        for document in &documents {
            text.push_str("---\n");
            shuffled(document, turn, &mut text);
            text.push('\n');
        }
        prop_assert_eq!(&straight, &everything(&fixtures::documents(&text)), "{}", text);
        Ok(())
    };
    let strategy = (entropy(), 0..64_usize);
    runner(CASES / 2).run(&strategy, property).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn any_json_at_all_is_read_rendered_and_planned_without_a_panic() {
    let kinds = [
        "OpenClawInstance",
        "OpenClawClusterDefaults",
        "ConfigMap",
        "Secret",
        "List",
        "PersistentVolumeClaim",
        "SecretList",
        "Pod",
    ];
    let strategy = (any_json(), proptest::sample::select(kinds.to_vec()), any::<bool>());
    let property = |(mut value, kind, dressed): (Value, &str, bool)| {
        if let Some(object) = value.as_object_mut().filter(|_| dressed) {
            let ours = kind.starts_with("OpenClaw");
            object.insert("kind".to_owned(), json!(kind));
            let version = if ours { "openclaw.rocks/v1alpha1" } else { "v1" };
            object.insert("apiVersion".to_owned(), json!(version));
        }
        let documents = Documents::read([value]);
        everything(&documents);
        for Found { value: instance, .. } in &documents.instances {
            let _ = plan(instance, &documents.observed(instance), &Settings::default());
        }
        Ok(())
    };
    runner(600).run(&strategy, property).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn any_bytes_at_all_are_parsed_and_read_without_a_panic() {
    let minimal =
        "apiVersion: openclaw.rocks/v1alpha1\nkind: OpenClawInstance\nmetadata: {name: a}\n";
    let property = |(bytes, at): (Vec<u8>, usize)| {
        // Alone, and in the middle of a manifest.
        let alone = String::from_utf8_lossy(&bytes);
        let (head, tail) = minimal.split_at(at % minimal.len());
        for text in [alone.to_string(), format!("{head}{alone}{tail}")] {
            if let Ok(values) = serde_saphyr::from_multiple::<Value>(&text) {
                everything(&Documents::read(values));
            }
        }
        Ok(())
    };
    let strategy = (proptest::collection::vec(any::<u8>(), 0..80), any::<usize>());
    runner(400).run(&strategy, property).unwrap_or_else(|error| panic!("{error}"));
}

/// What never reaches the pod: pointer below `spec`, and values. Nothing else may be held back
/// from the decision whether a change is the user's.
fn harmless() -> Vec<(&'static [&'static str], Value)> {
    vec![
        (&["suspended"], json!(true)),
        (&["replicas"], json!(0)),
        (&["rollout"], json!({"onOperatorUpgrade": "Roll"})),
        (&["maintenanceWindows"], json!([{"schedule": "0 3 * * *", "duration": "1h"}])),
        (&["autoUpdate"], json!({"enabled": true})),
        (&["restoreFrom"], json!("backups/ada/1")),
        (&["observability", "metrics", "grafanaDashboard"], json!({"folder": "agents"})),
        (&["observability", "metrics", "serviceMonitor", "interval"], json!("1m")),
        (&["observability", "metrics", "prometheusRule", "labels"], json!({"team": "sea"})),
        (&["availability", "autoScaling", "maxReplicas"], json!(3)),
        (&["backup"], json!({"schedule": "0 3 * * *", "retentionDays": 3})),
        (&["availability", "podDisruptionBudget"], json!({"enabled": false})),
        (&["availability", "podDisruptionBudget"], json!({"maxUnavailable": 3})),
        (&["storage", "persistence", "orphan"], json!(false)),
        (&["storage", "persistence", "size"], json!("77Gi")),
    ]
}

fn template(spec: &Value) -> Option<Vec<Value>> {
    let (instance, _) = decode_instance(document(spec)).ok()?;
    let (objects, _) = render_instance(&instance, &Observed::default(), &Settings::default());
    let part = |kind, pointer: &'static str| {
        let objects = objects.iter().filter(move |object| object.kind() == kind);
        objects.filter_map(move |object| object.to_value().pointer(pointer).cloned())
    };
    let pod = part(Kind::ConfigMap, "/data").chain(part(Kind::StatefulSet, "/spec/template"));
    Some(pod.collect::<Vec<_>>()).filter(|parts| !parts.is_empty())
}

#[test]
fn what_a_rollout_ignores_never_reaches_the_pod() {
    let property = |entropy: Vec<u32>| {
        let mut spec = Choices::new(&entropy).value(&SCHEMA, 0);
        // The size of a volume that goes with the pod does reach it.
        if let Some(persistence) =
            spec.pointer_mut("/storage/persistence").and_then(Value::as_object_mut)
        {
            persistence.remove("enabled");
        }
        let Some(before) = template(&spec) else { return Ok(()) };
        for (path, value) in harmless() {
            let mut changed = spec.clone();
            if !put(&mut changed, path, value.clone()) {
                continue;
            }
            if let Some(after) = template(&changed) {
                prop_assert_eq!(&before, &after, "{:?} = {}", path, value);
            }
        }
        Ok(())
    };
    runner(CASES / 4).run(&entropy(), property).unwrap_or_else(|error| panic!("{error}"));
}

fn put(spec: &mut Value, path: &[&str], value: Value) -> bool {
    let Some((first, rest)) = path.split_first() else {
        *spec = value;
        return true;
    };
    if spec.is_null() {
        *spec = json!({});
    }
    let Some(object) = spec.as_object_mut() else { return false };
    put(object.entry(*first).or_insert(Value::Null), rest, value)
}
