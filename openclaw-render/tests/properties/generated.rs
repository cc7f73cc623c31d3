//! Specs, documents and JSON, generated from the schema and from what breaks carelessness.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use openclaw_render::api;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

pub(crate) static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let definition = api::custom_resource_definitions()
        .into_iter()
        .find(|each| each["spec"]["names"]["kind"] == "OpenClawInstance")
        .expect("the definition of instances");
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone()
});

/// Text that is valid in most places.
const PLAIN: &[&str] = &["a", "sample", "ada", "b-2", "2026.9.6"];

/// Text that breaks what does not expect it.
pub(crate) const NASTY: &[&str] = &[
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
pub(crate) struct Choices<'a> {
    entropy: &'a [u32],
    position: usize,
    nasty: bool,
}

impl<'a> Choices<'a> {
    pub(crate) fn new(entropy: &'a [u32]) -> Self {
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
    pub(crate) fn value(&mut self, schema: &Value, depth: u32) -> Value {
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
            // One field in seven at the top, in two below: deep fields must be reached too, and a
            // spec that sets everything at random is refused for something.
            if needed || (depth < 8 && self.below(if depth == 0 { 7 } else { 2 }) == 1) {
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

pub(crate) fn document(spec: &Value) -> Value {
    json!({
        "apiVersion": "openclaw.rocks/v1alpha1",
        "kind": "OpenClawInstance",
        "metadata": {"name": "ada", "namespace": "agents", "uid": "u-1"},
        "spec": spec,
    })
}

pub(crate) fn entropy() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(any::<u32>(), 0..400)
}

pub(crate) fn any_json() -> impl Strategy<Value = Value> {
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
