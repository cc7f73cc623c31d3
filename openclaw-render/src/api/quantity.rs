//! Text that stands for an amount, and text that stands for nothing.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Pattern of a Kubernetes quantity without a sign; the empty string counts as unset.
const PATTERN: &str =
    r"^$|^(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]+))?$";

/// An amount as the user wrote it, for example `500m`, `2` or `10Gi`.
///
/// It is read from a string or a number and keeps the text; a number becomes its shortest text.
/// What the text means, and whether it means anything, is decided when the spec is resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct QuantityValue(pub String);

impl QuantityValue {
    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QuantityValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for QuantityValue {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for QuantityValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl Visitor<'_> for TextOrNumber {
            type Value = QuantityValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity: a string or a number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(QuantityValue(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(QuantityValue(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(QuantityValue(number.to_string()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
                Ok(QuantityValue(number.to_string()))
            }
        }

        deserializer.deserialize_any(TextOrNumber)
    }
}

impl JsonSchema for QuantityValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "QuantityValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [{ "type": "integer" }, { "type": "string" }],
            "x-kubernetes-int-or-string": true,
            "pattern": PATTERN,
            "maxLength": 32,
        })
    }
}

/// Reads a closed set of strings in which the empty string means that nothing is set.
pub(super) fn empty_is_unset<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => T::deserialize(text.into_deserializer()).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::{
        MergeMode, OpenClawClusterDefaults, OpenClawInstance, OpenClawInstanceSpec,
        custom_resource_definitions,
    };

    fn instance(spec: Value) -> OpenClawInstanceSpec {
        serde_json::from_value(spec).expect("decodes")
    }

    #[test]
    fn quantities_are_read_from_numbers_and_keep_their_text() {
        for (written, text) in
            [(json!("500m"), "500m"), (json!(2), "2"), (json!(0.5), "0.5"), (json!(""), "")]
        {
            let spec = instance(json!({ "resources": { "limits": { "cpu": written } } }));
            let cpu = spec.resources.and_then(|resources| resources.limits?.cpu).expect("set");
            assert_eq!(cpu.as_str(), text);
            assert_eq!(json!(cpu), json!(text));
        }
    }

    #[test]
    fn an_empty_choice_is_none_and_an_unknown_one_is_refused() {
        for (written, mode) in [
            (json!(""), None),
            (json!(null), None),
            (json!("merge"), Some(MergeMode::Merge)),
            (json!("overwrite"), Some(MergeMode::Overwrite)),
        ] {
            let config = instance(json!({ "config": { "mergeMode": written } })).config;
            assert_eq!(config.expect("set").merge_mode, mode);
        }
        let unknown = json!({ "config": { "mergeMode": "replace" } });
        assert!(serde_json::from_value::<OpenClawInstanceSpec>(unknown).is_err());
    }

    #[test]
    fn objects_without_a_spec_have_an_empty_one() {
        let object = json!({ "metadata": { "name": "ada" } });
        let instance: OpenClawInstance = serde_json::from_value(object.clone()).expect("decodes");
        assert_eq!(instance.spec, OpenClawInstanceSpec::default());
        let defaults: OpenClawClusterDefaults = serde_json::from_value(object).expect("decodes");
        assert_eq!(defaults.spec.registry, None);
    }

    #[test]
    fn what_is_unset_is_not_written() {
        let spec = json!({ "config": { "raw": { "b": { "a": 1 } } }, "suspended": false });
        assert_eq!(json!(instance(spec.clone())), spec);
        assert_eq!(json!(OpenClawInstanceSpec::default()), json!({}));
    }

    #[test]
    fn every_choice_that_the_schema_offers_is_read() {
        fn check(schema: &Value, path: &mut Vec<String>) {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                path.push(name.clone());
                for choice in property["enum"].as_array().into_iter().flatten() {
                    let mut spec = choice.clone();
                    for field in path.iter().rev() {
                        spec = json!({ field.as_str(): spec });
                    }
                    assert_eq!(json!(instance(spec.clone())), spec, "{path:?}");
                }
                check(property, path);
                path.pop();
            }
        }
        for crd in custom_resource_definitions() {
            if crd["spec"]["names"]["kind"] == "OpenClawInstance" {
                let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
                check(&schema["properties"]["spec"], &mut Vec::new());
            }
        }
    }
}
