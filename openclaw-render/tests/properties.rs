//! Laws that hold for whatever the schema allows, and for whatever it does not.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: what is broken must be loud"
)]

#[path = "support/fixtures.rs"]
mod fixtures;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use openclaw_render::{
    Documents, Fact, Kind, Object, Observed, Read, Settings, api, canonical, decode_instance, plan,
    render, render_instance, resolve, violations,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

/// Enough to find what is wrong over some days of CI, few enough to wait for.
const CASES: u32 = 160;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let definition = api::custom_resource_definitions()
        .into_iter()
        .find(|each| each["spec"]["names"]["kind"] == "OpenClawInstance")
        .expect("the definition of instances");
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone()
});

/// Text that is valid in most places.
const PLAIN: &[&str] = &["a", "sample", "ada", "b-2", "2026.9.6"];

/// Text that breaks what does not expect it.
const NASTY: &[&str] = &[
    "",
    " ",
    "\0",
    "\u{202e}ä\u{1f600}",
    "../../etc/passwd",
    "/",
    "a/../b",
    "$(HOME)",
    "${PATH}`id`",
    "a: b\n- c\n---\n",
    "{{ .Values.x }}",
    "'\"\\",
    "1Gi",
    "-1",
    "1e400",
    "99999999999999999999Ei",
    "10.0.0.0/8",
    "::/0",
    "https://claw.example.com",
    "latest",
    "sha256:0000000000000000000000000000000000000000000000000000000000000000",
    "9999999999999999999.0.0",
    "kubernetes.io/hostname",
    "HOME",
    "openclaw.json",
    "openclaw.rocks/rollout-hash",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// Where a generated value takes its decisions from. All zero means nothing is set, so cases
/// shrink towards the empty spec.
struct Choices<'a> {
    entropy: &'a [u32],
    position: usize,
    nasty: bool,
}

impl<'a> Choices<'a> {
    fn new(entropy: &'a [u32]) -> Self {
        let nasty = entropy.first().is_some_and(|first| first % 2 == 1);
        Self { entropy, position: 1, nasty }
    }

    fn below(&mut self, bound: u32) -> u32 {
        let drawn = self.entropy.get(self.position).copied().unwrap_or_default();
        self.position += 1;
        drawn % bound.max(1)
    }

    fn text(&mut self) -> String {
        let from = if self.nasty && self.below(3) == 1 { NASTY } else { PLAIN };
        let length = u32::try_from(from.len()).expect("a short list");
        from[self.below(length) as usize].to_owned()
    }

    fn number(&mut self) -> i64 {
        if self.nasty {
            let numbers = [0, 1, -1, 65_536, i64::from(i32::MAX), i64::MAX, i64::MIN, 101];
            numbers[self.below(8) as usize]
        } else {
            i64::from(self.below(200)) + 1
        }
    }

    /// A value of a schema.
    fn value(&mut self, schema: &Value, depth: u32) -> Value {
        if self.nasty && self.below(60) == 1 {
            return [json!(null), json!([]), json!({}), json!(""), json!(false)]
                [self.below(5) as usize]
                .clone();
        }
        if let Some(values) = schema["enum"].as_array() {
            let length = u32::try_from(values.len()).expect("a short list");
            return values[self.below(length) as usize].clone();
        }
        if schema["x-kubernetes-int-or-string"] == true {
            let quantities = ["1", "500m", "1024Mi", "0.5", "2e3", "64Mi", "1.5Gi"];
            return match self.below(4) {
                1 => json!(self.number()),
                2 if self.nasty => json!(self.text()),
                _ => json!(quantities[self.below(7) as usize]),
            };
        }
        if schema["x-kubernetes-preserve-unknown-fields"] == true {
            return self.config();
        }
        match schema["type"].as_str() {
            Some("boolean") => json!(self.below(2) == 1),
            Some("integer") => json!(self.number()),
            Some("array") => {
                let length = self.below(4);
                (0..length).map(|_| self.value(&schema["items"], depth + 1)).collect()
            }
            Some("object") if schema["properties"].is_object() => self.object(schema, depth),
            Some("object") => {
                let entries = (0..self.below(4))
                    .map(|_| (self.text(), self.value(&schema["additionalProperties"], depth + 1)));
                Value::Object(entries.collect())
            }
            _ => json!(self.text()),
        }
    }

    fn object(&mut self, schema: &Value, depth: u32) -> Value {
        let mut object = Map::new();
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let needed = required.iter().any(|each| each == name) && self.below(30) != 1;
            // One field in four at the top, in two below: deep fields must be reached too.
            if needed || (depth < 8 && self.below(if depth == 0 { 4 } else { 2 }) == 1) {
                object.insert(name.clone(), self.value(inner, depth + 1));
            }
        }
        Value::Object(object)
    }

    /// Something like openclaw.json.
    fn config(&mut self) -> Value {
        let gateway = match self.below(3) {
            1 => json!({"bind": self.text(), "auth": {"mode": self.text(), "token": self.text()}}),
            2 => json!({"bind": (["lan", "loopback", "auto"][self.below(3) as usize]),
                "trustedProxies": [self.text()], "controlUi": {"allowedOrigins": []},
                "auth": {"mode": (["none", "token", "password"][self.below(3) as usize])}}),
            _ => json!(null),
        };
        match self.below(5) {
            0 => json!({}),
            1 => json!({"gateway": gateway}),
            2 => json!({"gateway": gateway, "session": {"scope": self.text()}}),
            3 => json!({"gateway": self.text(), (self.text()): self.number()}),
            _ => json!({(self.text()): {(self.text()): [self.number(), null]}}),
        }
    }
}

fn document(spec: &Value) -> Value {
    json!({
        "apiVersion": "openclaw.rocks/v1alpha1",
        "kind": "OpenClawInstance",
        "metadata": {"name": "ada", "namespace": "agents", "uid": "u-1"},
        "spec": spec,
    })
}

fn entropy() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(any::<u32>(), 0..400)
}

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
        resolved_specs.get() > i32::try_from(CASES / 5).expect("small"),
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
                answer(read, &mut observed);
            }
        }
        Ok(())
    };
    runner(CASES / 2).run(&entropy(), property).unwrap_or_else(|error| panic!("{error}"));
}

/// Nothing is there.
fn answer(read: Read, observed: &mut Observed) {
    match read {
        Read::Metadata(key) => {
            observed.objects.insert(key, Fact::Absent);
        }
        Read::Claim(name) => {
            observed.claims.insert(name, Fact::Absent);
        }
        Read::ConfigMap(name) => {
            observed.config_maps.insert(name, Fact::Absent);
        }
        Read::Secret(name) => {
            observed.secrets.insert(name, Fact::Absent);
        }
        Read::ClusterDefaults => observed.cluster_defaults = Fact::Absent,
        Read::Live(_) => {}
    }
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
    let mut problems: Vec<String> = documents.problems.iter().map(ToString::to_string).collect();
    for instance in &documents.instances {
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

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        proptest::sample::select(NASTY).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let keys = [
            "apiVersion",
            "kind",
            "metadata",
            "name",
            "namespace",
            "spec",
            "items",
            "data",
            "env",
            "image",
            "annotations",
            "labels",
            "config",
            "raw",
            "storage",
            "status",
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(proptest::sample::select(keys.to_vec()), inner, 0..6)
                .prop_map(|map: BTreeMap<&str, Value>| {
                    Value::Object(
                        map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
                    )
                }),
        ]
    })
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
        for instance in &documents.instances {
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
