//! [`Documents`]: instances and the observed world, out of manifests.
//!
//! For everyone who has files instead of a cluster: the command line, tests, embedders. Parsing is
//! the caller's; this begins with JSON values.

mod decode;
pub(crate) mod nulls;
mod promised;
mod schema;
mod shapes;
mod unknown;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::agent_instance::{instance_of_agent, path_in_agent};
use crate::api::{AgentInstance, OpenClawClusterDefaults, OpenClawInstance, OpenClawSelfConfig};
use crate::facts::{claim_facts, secret_hashes};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::problem::{Problem, Rule};
use crate::resolution::{Resolution, resolve};
use crate::resolve::bounds;
use crate::self_config::judge_request;
use crate::settings::Settings;
use crate::vocab::{AGENT_API_VERSION, AGENT_KIND, API_VERSION, DEFAULT_NAMESPACE, KIND};

pub(crate) use decode::decode_agent;
pub use decode::decode_instance;

/// Kind of the cluster's defaults.
const DEFAULTS_KIND: &str = "OpenClawClusterDefaults";
/// Kind of a change that an agent asks for.
const SELF_CONFIG_KIND: &str = "OpenClawSelfConfig";
/// The only name under which ClusterDefaults count.
const DEFAULTS_NAME: &str = "cluster";
/// Kinds that an instance can refer to.
const REFERENCED: [&str; 3] = ["ConfigMap", "Secret", "PersistentVolumeClaim"];

/// Something that was found in a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// What was found.
    pub value: T,
    /// Which document, counted from 0 in the order in which they were given.
    pub document: usize,
    /// Where in that document: empty, or `items[0].` for a member of a list.
    pub within: String,
}

/// What a set of manifests says.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// Every instance, by namespace and name, whatever the order of the documents.
    pub instances: Vec<Found<OpenClawInstance>>,
    /// What is wrong with documents as such. Paths begin with `Kind name: ` where the document is no
    /// instance.
    pub problems: Vec<Found<Problem>>,
    /// What the API server refuses by the schemas of the operator's kinds. Some of it is also said by
    /// what is found otherwise, in other words.
    pub refused_by_schema: Vec<Found<Problem>>,
    /// Whether there is something of the operator's API that is no instance.
    pub has_others: bool,
    /// Where the document that is being read stands.
    place: (usize, String),
    /// Which of the instances come from the smaller kind, by where they stand.
    converted: BTreeSet<(usize, String)>,
    requests: Vec<Found<OpenClawSelfConfig>>,
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
        for (position, document) in documents.into_iter().enumerate() {
            read.place = (position, String::new());
            read.add(document);
        }
        read.instances.sort_by_cached_key(|found| identity(&found.value));
        read.check_duplicates();
        read.check_requests();
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

    /// Returns a problem of an instance as the document tells it, of which the instance was made.
    #[must_use]
    pub fn told(&self, of: &Found<OpenClawInstance>, problem: Problem) -> Problem {
        if self.converted.contains(&(of.document, of.within.clone())) {
            let path = path_in_agent(&problem.path);
            return Problem { path, ..problem };
        }
        problem
    }

    /// Of a kind that is completely known, what the instance refers to and is not there is absent.
    fn mark_absent(&self, instance: &OpenClawInstance, observed: &mut Observed) {
        // The settings have no say in what an instance refers to.
        let Resolution { references, .. } = resolve(instance, observed, &Settings::default());
        for ObjectKey { kind, name } in references {
            let key = ObjectKey::new(kind, name.as_str());
            if !self.complete.contains(kind.as_str()) || observed.promised.contains(&key) {
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

    fn add(&mut self, document: Value) {
        let text =
            |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        self.has_others |= api_version == API_VERSION && kind != KIND;
        if [API_VERSION, AGENT_API_VERSION].contains(&api_version.as_str()) {
            self.hold_against_schema(&kind, &document);
        }
        match (api_version.as_str(), kind.as_str()) {
            _ if document.is_null() => {}
            (API_VERSION, KIND) => self.add_instance(document),
            (AGENT_API_VERSION, AGENT_KIND) => self.add_agent(document),
            (API_VERSION, DEFAULTS_KIND) => self.add_defaults(&document),
            (API_VERSION, SELF_CONFIG_KIND) => self.add_request(&document),
            ("v1", "ConfigMap") => {
                if let Some(map) = self.decode::<ConfigMap>(&document) {
                    let world = self.world(&map.metadata);
                    let data = map.data.unwrap_or_default();
                    world.config_maps.insert(name(&map.metadata), Fact::Known(data));
                }
            }
            ("v1", "Secret") => {
                if let Some(secret) = self.decode::<Secret>(&document) {
                    let keys = secret_hashes(&secret);
                    let world = self.world(&secret.metadata);
                    world.secrets.insert(name(&secret.metadata), Fact::Known(keys));
                }
            }
            ("v1", "PersistentVolumeClaim") => {
                if let Some(claim) = self.decode::<PersistentVolumeClaim>(&document) {
                    let facts = claim_facts(&claim);
                    let world = self.world(&claim.metadata);
                    world.claims.insert(name(&claim.metadata), Fact::Known(facts));
                }
            }
            ("v1", list) if list.ends_with("List") => self.add_list(document, &kind),
            (version, list) if unknown::is_list(version, list) => self.add_list(document, &kind),
            ("", _) | (_, "") => self.found(Problem::error(
                "document",
                Rule::Invalid,
                "has no `apiVersion` or no `kind`: it is no Kubernetes manifest",
            )),
            _ if let Some(problem) = unknown::problem(&api_version, &kind) => {
                let path = format!("{kind} {}: {}", document_name(&document), problem.path);
                self.found(Problem { path, ..problem });
            }
            _ => match promised::by(&api_version, &document) {
                Some((namespace, key)) => {
                    let namespace = namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned();
                    self.worlds.entry(namespace).or_default().promised.insert(key);
                }
                None => self.found(Problem::advice(
                    format!("{kind} {}", document_name(&document)),
                    Rule::Ineffective,
                    "is neither an instance nor something that an instance can refer to: ignored",
                )),
            },
        }
    }

    fn add_list(&mut self, mut document: Value, kind: &str) {
        let listed = kind.strip_suffix("List");
        self.complete.extend(REFERENCED.iter().filter(|each| listed == Some(**each)));
        match document.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => {
                let within = std::mem::take(&mut self.place.1);
                for (position, item) in items.into_iter().enumerate() {
                    self.place.1 = format!("{within}items[{position}].");
                    self.add(item);
                }
                self.place.1 = within;
            }
            _ => self.found(Problem::error(
                format!("{kind}.items"),
                Rule::Invalid,
                "must be a list of manifests",
            )),
        }
    }

    fn add_instance(&mut self, document: Value) {
        let Some(value) = self.decode_all::<OpenClawInstance>(KIND, document) else { return };
        let (document, within) = self.place.clone();
        self.instances.push(Found { value, document, within });
    }

    /// An agent in a few fields stands for an instance.
    fn add_agent(&mut self, document: Value) {
        let Some(agent) = self.decode_all::<AgentInstance>(AGENT_KIND, document) else { return };
        let (instance, problems) = instance_of_agent(&agent);
        for problem in problems {
            self.found(problem);
        }
        if let Some(value) = instance {
            let (document, within) = self.place.clone();
            self.converted.insert((document, within.clone()));
            self.instances.push(Found { value, document, within });
        }
    }

    /// Returns an object, after saying everything that is wrong with its form.
    fn decode_all<T: DeserializeOwned + Serialize>(
        &mut self,
        kind: &str,
        document: Value,
    ) -> Option<T> {
        let (decoded, problems) = match decode::every_problem(kind, document) {
            Ok((decoded, unknown)) => (Some(decoded), unknown),
            Err(problems) => (None, problems),
        };
        for problem in problems {
            self.found(problem);
        }
        decoded
    }

    fn add_request(&mut self, document: &Value) {
        let Some(value) = self.decode::<OpenClawSelfConfig>(document) else { return };
        let (document, within) = self.place.clone();
        self.requests.push(Found { value, document, within });
    }

    /// Says what would become of requests whose instance is among the documents.
    fn check_requests(&mut self) {
        let mut found = Vec::new();
        for Found { value: request, document, within } in &self.requests {
            let namespace = request.metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
            let of = (namespace.to_owned(), request.spec.instance_ref.clone());
            let instance = self.instances.iter().find(|found| identity(&found.value) == of);
            let Some(instance) = instance else { continue };
            let live = serde_json::to_value(&instance.value).unwrap_or_default();
            for problem in judge_request(request, &live).problems() {
                let name = name(&request.metadata);
                let path = format!("{SELF_CONFIG_KIND} {name}: {}", problem.path);
                let value = Problem { path, ..problem.clone() };
                found.push(Found { value, document: *document, within: within.clone() });
            }
        }
        self.problems.extend(found);
    }

    fn hold_against_schema(&mut self, kind: &str, of: &Value) {
        let is_agent = [KIND, AGENT_KIND].contains(&kind);
        let subject = format!("{kind} {}: ", document_name(of));
        for problem in schema::problems(kind, of) {
            let path = if is_agent { problem.path } else { format!("{subject}{}", problem.path) };
            let (document, within) = self.place.clone();
            let value = Problem { path, ..problem };
            self.refused_by_schema.push(Found { value, document, within });
        }
    }

    /// Says what is wrong with the document that is being read.
    fn found(&mut self, problem: Problem) {
        let (document, within) = self.place.clone();
        self.problems.push(Found { value: problem, document, within });
    }

    fn add_defaults(&mut self, document: &Value) {
        let Some(defaults) = self.decode::<OpenClawClusterDefaults>(document) else { return };
        let name = name(&defaults.metadata);
        for problem in bounds::problems(&defaults.spec) {
            let path = format!("{DEFAULTS_KIND} {name}: {}", problem.path);
            self.found(Problem { path, ..problem });
        }
        if name == DEFAULTS_NAME {
            self.cluster_defaults = Fact::Known(defaults);
        } else {
            self.found(Problem::advice(
                format!("{DEFAULTS_KIND} {name}"),
                Rule::Ineffective,
                format!("has no effect: only the object named {DEFAULTS_NAME:?} counts"),
            ));
        }
    }

    /// Returns an object of any other kind, after saying which of its fields its kind does not have.
    fn decode<T: DeserializeOwned + Serialize>(&mut self, document: &Value) -> Option<T> {
        let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let subject = format!("{kind} {}", document_name(document));
        let (decoded, unknown) = decode::with_unknown::<T>(document);
        let is_well = decoded.as_ref().is_ok_and(|it| !shapes::has_lost_lists(document, it));
        let misshapen = if is_well { Vec::new() } else { shapes::problems(&kind, document) };
        if !misshapen.is_empty() {
            for problem in misshapen {
                self.found(Problem { path: format!("{subject}: {}", problem.path), ..problem });
            }
            return None;
        }
        // Objects of Kubernetes itself may be newer than what we know of them.
        if kind.starts_with("OpenClaw") {
            for problem in decode::advice(&kind, unknown) {
                self.found(Problem { path: format!("{subject}: {}", problem.path), ..problem });
            }
        }
        match decoded {
            Ok(object) => Some(object),
            Err((path, message)) => {
                let path = format!("{subject}: {path}");
                self.found(Problem::error(path, Rule::Invalid, message));
                None
            }
        }
    }

    fn world(&mut self, metadata: &ObjectMeta) -> &mut Observed {
        let namespace = metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
        self.worlds.entry(namespace.to_owned()).or_default()
    }

    fn check_duplicates(&mut self) {
        let mut twice = Vec::new();
        for pair in self.instances.windows(2) {
            let [first, second] = pair else { continue };
            let (namespace, name) = identity(&second.value);
            if identity(&first.value) == (namespace.clone(), name.clone()) {
                let message = format!("instance {namespace}/{name} is given twice");
                let value = Problem::error("metadata.name", Rule::Invalid, message);
                let (document, within) = (second.document, second.within.clone());
                twice.push(Found { value, document, within });
            }
        }
        self.problems.extend(twice);
    }
}

/// Returns namespace and name of an instance.
fn identity(instance: &OpenClawInstance) -> (String, String) {
    let namespace = instance.metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    (namespace.to_owned(), name(&instance.metadata))
}

fn name(metadata: &ObjectMeta) -> String {
    metadata.name.clone().unwrap_or_default()
}

fn document_name(document: &Value) -> String {
    let name = document.pointer("/metadata/name").and_then(Value::as_str);
    name.unwrap_or("without a name").to_owned()
}
