//! [`Documents`]: instances and the observed world, out of manifests.
//!
//! For everyone who has files instead of a cluster: the command line, tests, embedders. Parsing is
//! the caller's; this begins with JSON values.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::api::{ConditionType, OpenClawClusterDefaults, OpenClawInstance};
use crate::bounded;
use crate::facts::{claim_facts, secret_hashes};
use crate::nesting;
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::problem::{Problem, Rule};
use crate::resolution::{Resolution, resolve};
use crate::resolve::{RAW, bounds};
use crate::settings::Settings;
use crate::vocab::{API_VERSION, KIND};

/// Namespace of an object that names none.
const DEFAULT_NAMESPACE: &str = "default";
/// Kind of the cluster's defaults.
const DEFAULTS_KIND: &str = "OpenClawClusterDefaults";
/// The only name under which ClusterDefaults count.
const DEFAULTS_NAME: &str = "cluster";
/// Kinds that an instance can refer to.
const REFERENCED: [&str; 3] = ["ConfigMap", "Secret", "PersistentVolumeClaim"];

/// What a set of manifests says.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// Every instance, in order.
    pub instances: Vec<OpenClawInstance>,
    /// What is wrong with documents as such. Paths begin with `Kind name` unless there is exactly
    /// one instance and the problem is about it.
    pub problems: Vec<Problem>,
    worlds: BTreeMap<String, Observed>,
    cluster_defaults: Fact<OpenClawClusterDefaults>,
    /// Kinds of which the documents hold all there are.
    complete: BTreeSet<&'static str>,
}

impl Documents {
    /// Sorts documents by what they are. ConfigMaps, Secrets, claims and ClusterDefaults are the
    /// observed world; a `List` is taken apart; a list of one kind (`SecretList`) also says that
    /// there are no others of that kind.
    pub fn read(documents: impl IntoIterator<Item = Value>) -> Self {
        let mut read = Self::default();
        for document in documents {
            read.add(document);
        }
        read.check_duplicates();
        read
    }

    /// What is known of the world of an instance.
    #[must_use]
    pub fn observed(&self, instance: &OpenClawInstance) -> Observed {
        let namespace = instance.metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
        let mut observed = self.worlds.get(namespace).cloned().unwrap_or_default();
        observed.cluster_defaults = self.cluster_defaults.clone();
        if !self.complete.is_empty() {
            self.mark_absent(instance, &mut observed);
        }
        observed
    }

    /// Of a kind that is completely known, what the instance refers to and is not there is absent.
    fn mark_absent(&self, instance: &OpenClawInstance, observed: &mut Observed) {
        // The settings have no say in what an instance refers to.
        let Resolution { references, .. } = resolve(instance, observed, &Settings::default());
        for ObjectKey { kind, name } in references {
            if !self.complete.contains(kind.as_str()) {
                continue;
            }
            if kind == Kind::PersistentVolumeClaim {
                observed.claims.entry(name).or_insert(Fact::Absent);
            } else if kind == Kind::Secret {
                observed.secrets.entry(name).or_insert(Fact::Absent);
            } else {
                observed.config_maps.entry(name).or_insert(Fact::Absent);
            }
        }
    }

    /// Whether a document describes the world of instances, by its kind: something that they can
    /// refer to, a list of one such kind, or ClusterDefaults.
    #[must_use]
    pub fn is_world(document: &Value) -> bool {
        let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
        kind == DEFAULTS_KIND || REFERENCED.contains(&kind.strip_suffix("List").unwrap_or(kind))
    }

    fn add(&mut self, document: Value) {
        let text =
            |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        match (api_version.as_str(), kind.as_str()) {
            _ if document.is_null() => {}
            (API_VERSION, KIND) => self.add_instance(document),
            (API_VERSION, DEFAULTS_KIND) => self.add_defaults(document),
            ("v1", "ConfigMap") => {
                if let Some(map) = self.decode::<ConfigMap>(document) {
                    let world = self.world(&map.metadata);
                    let data = map.data.unwrap_or_default();
                    world.config_maps.insert(name(&map.metadata), Fact::Known(data));
                }
            }
            ("v1", "Secret") => {
                if let Some(secret) = self.decode::<Secret>(document) {
                    let keys = secret_hashes(&secret);
                    let world = self.world(&secret.metadata);
                    world.secrets.insert(name(&secret.metadata), Fact::Known(keys));
                }
            }
            ("v1", "PersistentVolumeClaim") => {
                if let Some(claim) = self.decode::<PersistentVolumeClaim>(document) {
                    let facts = claim_facts(&claim);
                    let world = self.world(&claim.metadata);
                    world.claims.insert(name(&claim.metadata), Fact::Known(facts));
                }
            }
            ("v1", list) if list.ends_with("List") => self.add_list(document, &kind),
            ("", _) | (_, "") => self.problems.push(Problem::error(
                "document",
                Rule::Invalid,
                "has no `apiVersion` or no `kind`: it is no Kubernetes manifest",
            )),
            _ => self.problems.push(Problem::advice(
                format!("{kind} {}", document_name(&document)),
                Rule::Ineffective,
                "is neither an instance nor something that an instance can refer to: ignored",
            )),
        }
    }

    fn add_list(&mut self, mut document: Value, kind: &str) {
        let listed = kind.strip_suffix("List");
        self.complete.extend(REFERENCED.iter().filter(|each| listed == Some(**each)));
        match document.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items.into_iter().for_each(|item| self.add(item)),
            _ => self.problems.push(Problem::error(
                format!("{kind}.items"),
                Rule::Invalid,
                "must be a list of manifests",
            )),
        }
    }

    fn add_instance(&mut self, document: Value) {
        match decode_instance(document) {
            Ok((instance, unknown)) => {
                self.problems.extend(unknown);
                self.instances.push(instance);
            }
            Err(problem) => self.problems.push(problem),
        }
    }

    fn add_defaults(&mut self, document: Value) {
        let Some(defaults) = self.decode::<OpenClawClusterDefaults>(document) else { return };
        let name = name(&defaults.metadata);
        for problem in bounds::problems(&defaults.spec) {
            let path = format!("{DEFAULTS_KIND} {name}: {}", problem.path);
            self.problems.push(Problem { path, ..problem });
        }
        if name == DEFAULTS_NAME {
            self.cluster_defaults = Fact::Known(defaults);
        } else {
            self.problems.push(Problem::advice(
                format!("{DEFAULTS_KIND} {name}"),
                Rule::Ineffective,
                format!("has no effect: only the object named {DEFAULTS_NAME:?} counts"),
            ));
        }
    }

    fn decode<T: DeserializeOwned>(&mut self, document: Value) -> Option<T> {
        let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = document_name(&document);
        match serde_path_to_error::deserialize(document) {
            Ok(object) => Some(object),
            Err(error) => {
                self.problems.push(Problem::error(
                    format!("{kind} {name}: {}", error.path()),
                    Rule::Invalid,
                    error.inner().to_string(),
                ));
                None
            }
        }
    }

    fn world(&mut self, metadata: &ObjectMeta) -> &mut Observed {
        let namespace = metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
        self.worlds.entry(namespace.to_owned()).or_default()
    }

    fn check_duplicates(&mut self) {
        let mut seen = BTreeSet::new();
        for instance in &self.instances {
            let namespace = instance.metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
            let name = name(&instance.metadata);
            if !seen.insert((namespace.to_owned(), name.clone())) {
                self.problems.push(Problem::error(
                    "metadata.name",
                    Rule::Invalid,
                    format!("instance {namespace}/{name} is given twice"),
                ));
            }
        }
    }
}

/// An instance out of raw JSON, with advice on every field that the API does not have.
///
/// # Errors
/// The first field that does not decode or is beyond the limits of [`bounded`], by its path.
pub fn decode_instance(document: Value) -> Result<(OpenClawInstance, Vec<Problem>), Problem> {
    if nesting::is_manifest_too_deep(&document) {
        // Where the schema holds, nothing else can be deep.
        let raw = document.pointer("/spec/config/raw");
        let (path, about) = if raw.is_some_and(nesting::is_too_deep) {
            (RAW, ConditionType::ConfigValid)
        } else {
            ("document", ConditionType::Ready)
        };
        nesting::dismantle(document);
        return Err(Problem::error(path, Rule::Invalid, nesting::too_deep()).about(about));
    }
    let mut document = bounded::check(document)?;
    // An instance without a spec is one with all defaults.
    if let Some(object) = document.as_object_mut() {
        let spec = object.entry("spec").or_insert_with(|| Value::Object(Map::new()));
        if spec.is_null() {
            *spec = Value::Object(Map::new());
        }
    }
    let fraction = document.get("spec").and_then(|spec| fraction("spec", spec));
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(document, &mut track);
    let decoded = serde_ignored::deserialize(deserializer, |path| unknown.push(path.to_string()));
    let instance = decoded.map_err(|error: serde_json::Error| {
        Problem::error(
            track.path().to_string(),
            Rule::Invalid,
            format!("does not decode: {error}; see `kubectl explain`"),
        )
    })?;
    if let Some(problem) = fraction {
        return Err(problem);
    }
    // The derived type does not read what every object has, and a status is no wish of the user's.
    unknown.retain(|path| {
        path != "apiVersion" && path != "kind" && path.split('.').next() != Some("status")
    });
    let advice = unknown.into_iter().map(|path| {
        // serde_ignored writes `?` for the Option around a struct.
        let path = path.replace(".?", "");
        Problem::advice(
            path,
            Rule::UnknownField,
            "is no field of the API: the API server drops it; correct the spelling or remove it",
        )
    });
    Ok((instance, advice.collect()))
}

/// The first number with a fraction, which no field of the API takes but a configuration. Types of
/// Kubernetes read one as an amount, and the API server refuses it.
fn fraction(path: &str, value: &Value) -> Option<Problem> {
    match value {
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() != 0.0) => {
            let message = format!("{number} is not a whole number: write it in quotes");
            Some(Problem::error(path, Rule::Invalid, message))
        }
        Value::Object(fields) if path != RAW => {
            fields.iter().find_map(|(name, value)| fraction(&format!("{path}.{name}"), value))
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, value)| fraction(&format!("{path}[{index}]"), value))
        }
        _ => None,
    }
}

fn name(metadata: &ObjectMeta) -> String {
    metadata.name.clone().unwrap_or_default()
}

fn document_name(document: &Value) -> String {
    let name = document.pointer("/metadata/name").and_then(Value::as_str);
    name.unwrap_or("without a name").to_owned()
}
