//! The stand-in for an API server, in which `openclaw-render` tries its plans, against a real one:
//! the same requests have the same answers and leave the same objects, managers included.

use std::collections::BTreeMap;

use futures::future::join_all;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use openclaw_render::vocab::FIELD_MANAGER;
use openclaw_render::{Kind, Object, take_over_patch};
use serde_json::{Value, json};

use crate::api_server::{ApiServer, Key, Refusal};
use crate::support::cluster::Cluster;
use crate::support::fixtures::Fixture;

/// Who wrote before us.
const PREVIOUS: &str = "manager";
/// Who writes beside us.
const FOREIGN: &str = "a-user";
const NOBODY: &str = "5a1f5a6e-2f4e-4b8a-9b53-6f5d8d4f3a11";

/// A request about one object.
#[derive(Clone, Debug)]
enum Request {
    Apply {
        object: Value,
        manager: &'static str,
        force: bool,
    },
    Create {
        object: Value,
        manager: &'static str,
    },
    /// A PUT of the live object, changed by a JSON patch.
    Update {
        patch: Value,
        manager: &'static str,
    },
    JsonPatch {
        patch: Value,
        manager: &'static str,
    },
    /// The patch that the library makes of the live object.
    TakeOver,
    Delete {
        uid: Option<&'static str>,
    },
}

use Request::{Apply, Create, Delete, JsonPatch, TakeOver, Update};

impl Request {
    /// The same about an object of that name.
    fn named(mut self, name: &str) -> Self {
        if let Apply { object, .. } | Create { object, .. } = &mut self {
            object["metadata"]["name"] = json!(name);
        }
        self
    }
}

fn ours(object: &Value) -> Request {
    Apply { object: object.clone(), manager: FIELD_MANAGER, force: true }
}

fn create(object: &Value, manager: &'static str) -> Request {
    Create { object: object.clone(), manager }
}

fn update(patch: &Value, manager: &'static str) -> Request {
    Update { patch: patch.clone(), manager }
}

fn patch(patch: &Value, manager: &'static str) -> Request {
    JsonPatch { patch: patch.clone(), manager }
}

/// The same object, changed by a JSON patch.
fn changed(object: &Value, patch: &Value) -> Value {
    let mut object = object.clone();
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).expect("a patch");
    json_patch::patch(&mut object, &patch).expect("the patch fits");
    object
}

/// An object of which nothing is left to defaults, and what is done to it.
struct Subject {
    object: Value,
    /// We no longer want some of it.
    less: Value,
    /// Somebody else adds to it.
    more: Value,
    /// Somebody else changes what is ours.
    other: Value,
}

fn set(path: &str, value: &Value) -> Value {
    json!([{"op": "add", "path": path, "value": value}])
}

/// What happens to an object, by name.
fn scenarios(subject: &Subject) -> Vec<(&'static str, Vec<Request>)> {
    let mut scenarios = scenarios_of_writers(subject);
    scenarios.extend(scenarios_of_take_over(subject));
    scenarios.push(("refused", refusals(subject)));
    // A controller takes a claim's finalizer away.
    if subject.object["metadata"].get("finalizers").is_none() {
        scenarios.push(("deleted", vec![ours(&subject.object), Delete { uid: None }]));
        scenarios.push(("finalized", deletion(subject)));
    }
    if subject.object["kind"] == "OpenClawInstance" {
        scenarios.push(("reported", reports(subject)));
    }
    scenarios
}

fn scenarios_of_writers(subject: &Subject) -> Vec<(&'static str, Vec<Request>)> {
    let Subject { object, less, more, other } = subject;
    let (fewer, theirs) = (changed(object, less), changed(object, other));
    let them = |object: &Value, force| Apply { object: object.clone(), manager: FOREIGN, force };
    vec![
        ("applied", vec![ours(object), ours(object), ours(&fewer), ours(object)]),
        ("others-add", vec![ours(object), update(more, FOREIGN), ours(object), ours(&fewer)]),
        ("others-change", vec![ours(object), patch(other, FOREIGN), ours(object), ours(&fewer)]),
        ("others-remove", vec![ours(object), update(less, FOREIGN), ours(object)]),
        (
            "others-apply",
            vec![
                ours(object),
                them(&theirs, false),
                them(&theirs, true),
                ours(&fewer),
                ours(object),
            ],
        ),
        ("shared", vec![ours(object), them(object, false), ours(&fewer), them(&fewer, false)]),
    ]
}

fn scenarios_of_take_over(subject: &Subject) -> Vec<(&'static str, Vec<Request>)> {
    let Subject { object, less, more, other } = subject;
    let fewer = changed(object, less);
    let first = create(object, PREVIOUS);
    vec![
        ("created", vec![create(object, FIELD_MANAGER), ours(object), ours(&fewer)]),
        ("taken", vec![first.clone(), ours(&fewer), TakeOver, ours(&fewer), TakeOver]),
        ("taken-at-first", vec![first.clone(), update(more, FOREIGN), TakeOver, ours(&fewer)]),
        (
            "taken-twice",
            vec![
                first,
                TakeOver,
                ours(object),
                patch(other, PREVIOUS),
                update(more, PREVIOUS),
                TakeOver,
                ours(&fewer),
            ],
        ),
    ]
}

fn refusals(subject: &Subject) -> Vec<Request> {
    let object = &subject.object;
    let another = changed(object, &set("/metadata/uid", &json!(NOBODY)));
    let label = "/metadata/labels/app.kubernetes.io~1instance";
    let if_it_is = |instance: &str| {
        json!([
            {"op": "test", "path": label, "value": instance},
            {"op": "add", "path": "/metadata/labels/tested", "value": "yes"},
        ])
    };
    vec![
        // While there is none.
        patch(&subject.other, FOREIGN),
        Delete { uid: None },
        ours(&another),
        create(object, FOREIGN),
        // While there is one.
        create(object, FOREIGN),
        patch(&if_it_is("another"), FOREIGN),
        patch(&if_it_is("ada"), FOREIGN),
        ours(&another),
        update(&set("/metadata/uid", &json!(NOBODY)), FOREIGN),
        update(&set("/metadata/resourceVersion", &json!("1")), FOREIGN),
        Delete { uid: Some(NOBODY) },
    ]
}

fn deletion(subject: &Subject) -> Vec<Request> {
    let fewer = changed(&subject.object, &subject.less);
    vec![
        ours(&subject.object),
        patch(&set("/metadata/finalizers", &json!(["example.com/wait"])), FOREIGN),
        Delete { uid: None },
        ours(&fewer),
        Delete { uid: None },
        patch(&json!([{"op": "remove", "path": "/metadata/finalizers"}]), FOREIGN),
    ]
}

fn reports(subject: &Subject) -> Vec<Request> {
    let status = |phase: &str| {
        let condition = json!({
            "type": "Ready", "status": "False", "reason": "Wait", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        set("/status", &json!({"phase": phase, "conditions": [condition]}))
    };
    vec![
        create(&subject.object, FOREIGN),
        patch(&status("Pending"), FIELD_MANAGER),
        patch(&status("Pending"), FIELD_MANAGER),
        patch(&status("Running"), FIELD_MANAGER),
        update(&subject.other, FOREIGN),
    ]
}

/// One object on both servers.
struct Both {
    api: Api<DynamicObject>,
    key: Key,
    stand_in: ApiServer,
}

type Answer = Result<(), &'static str>;

impl Both {
    async fn live(&self) -> Option<Value> {
        let live = self.api.get_opt(&self.key.2).await.expect("an answer")?;
        Some(serde_json::to_value(live).expect("JSON"))
    }

    fn imitated(&self) -> Option<&Value> {
        self.stand_in.get(&self.key.0, &self.key.1, &self.key.2)
    }

    /// Controllers write the status between a read and a write: that conflict is not meant.
    async fn ask(&self, request: &Request) -> Answer {
        let by = |manager: &str| Some(manager.to_owned());
        let name = &self.key.2;
        for _ in 0..10 {
            let answer = match request {
                Apply { object, manager, force } => {
                    let parameters = PatchParams { force: *force, ..PatchParams::apply(manager) };
                    self.api.patch(name, &parameters, &Patch::Apply(object)).await.map(drop)
                }
                Create { object, manager } => {
                    let object = serde_json::from_value(object.clone()).expect("an object");
                    let parameters =
                        PostParams { field_manager: by(manager), ..PostParams::default() };
                    self.api.create(&parameters, &object).await.map(drop)
                }
                Update { patch, manager } => {
                    let object = changed(&self.live().await.expect("it is there"), patch);
                    let object = serde_json::from_value(object).expect("an object");
                    let parameters =
                        PostParams { field_manager: by(manager), ..PostParams::default() };
                    self.api.replace(name, &parameters, &object).await.map(drop)
                }
                JsonPatch { patch, manager } => self.patch(patch, manager).await,
                TakeOver => {
                    let live = self.live().await.expect("it is there");
                    match take_over_patch(&live, &[PREVIOUS]) {
                        Some(patch) => self.patch(&patch, FIELD_MANAGER).await,
                        None => return Err("nothing to take over"),
                    }
                }
                Delete { uid } => {
                    let preconditions =
                        Preconditions { uid: uid.and_then(by), ..Preconditions::default() };
                    let parameters = DeleteParams {
                        preconditions: Some(preconditions),
                        ..DeleteParams::background()
                    };
                    self.api.delete(name, &parameters).await.map(drop)
                }
            };
            let answer = answer.map_err(|error| class_of(&error));
            if !(matches!(request, Update { .. } | TakeOver) && answer == Err("Conflict")) {
                return answer;
            }
        }
        Err("Conflict")
    }

    async fn patch(&self, patch: &Value, manager: &str) -> Result<(), kube::Error> {
        let is_status = patch[0]["path"] == "/status";
        let patch = serde_json::from_value(patch.clone()).expect("a patch");
        let patch = Patch::Json::<()>(patch);
        let (name, parameters) = (&self.key.2, PatchParams::apply(manager));
        if is_status {
            self.api.patch_status(name, &parameters, &patch).await.map(drop)
        } else {
            self.api.patch(name, &parameters, &patch).await.map(drop)
        }
    }

    fn imitate(&mut self, request: &Request) -> Answer {
        let answer = match request {
            Apply { object, manager, force } => {
                self.stand_in.apply(object, manager, *force).map(drop)
            }
            Create { object, manager } => self.stand_in.create(object, manager).map(drop),
            Update { patch, manager } => {
                let object = changed(self.imitated().expect("it is there"), patch);
                self.stand_in.update(&object, manager).map(drop)
            }
            JsonPatch { patch, manager } => {
                self.stand_in.json_patch(&self.key, patch, manager).map(drop)
            }
            TakeOver => match take_over_patch(self.imitated().expect("it is there"), &[PREVIOUS]) {
                Some(patch) => self.stand_in.json_patch(&self.key, &patch, FIELD_MANAGER).map(drop),
                None => return Err("nothing to take over"),
            },
            Delete { uid } => self.stand_in.delete(&self.key, *uid),
        };
        answer.map_err(|refusal| match refusal {
            Refusal::NotFound => "NotFound",
            Refusal::AlreadyExists => "AlreadyExists",
            Refusal::Conflict(_) => "Conflict",
            Refusal::Invalid(_) => "Invalid",
        })
    }
}

/// What a refusal means to who asked. A failed test of a JSON patch is a 422 that names no field.
fn class_of(error: &kube::Error) -> &'static str {
    let kube::Error::Api(status) = error else { panic!("no answer: {error}") };
    let causes = status.details.iter().map(|details| details.causes.len()).sum();
    match (status.code, status.reason.as_str(), causes) {
        (404, ..) => "NotFound",
        (409, "AlreadyExists", _) => "AlreadyExists",
        (409, ..) | (422, _, 0) => "Conflict",
        (422, ..) => "Invalid",
        _ => panic!("{status:?}"),
    }
}

/// What of an object both servers must agree on: not ids and times, and the status only where no
/// controller of Kubernetes' own writes it.
fn comparable(object: &Value) -> Value {
    let mut object = object.clone();
    if object.is_null() {
        return object;
    }
    let is_ours = object["kind"] == "OpenClawInstance";
    if !is_ours {
        object.as_object_mut().expect("an object").remove("status");
    }
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    for name in ["uid", "resourceVersion", "creationTimestamp", "deletionGracePeriodSeconds"] {
        metadata.remove(name);
    }
    if let Some(time) = metadata.get_mut("deletionTimestamp") {
        *time = json!("<a time>");
    }
    let entries = metadata.remove("managedFields").unwrap_or_default();
    let managers: BTreeMap<String, Value> = entries
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| is_ours || entry["subresource"] != "status")
        .map(|entry| {
            let [who, how, what] = ["manager", "operation", "subresource"].map(|it| &entry[it]);
            let who = format!("{who} {how} {what}");
            (who, json!([entry["apiVersion"], entry["fieldsV1"]]))
        })
        .collect();
    metadata.insert("managedFields".to_owned(), json!(managers));
    object
}

/// An object of every kind, of a fixture with all features, and its instance, with all that the
/// API server fills in.
async fn subjects(cluster: &Cluster) -> Vec<Subject> {
    let fixture = Fixture::named("everything").in_namespace(&cluster.namespace);
    let mut objects: Vec<Value> = fixture.render().0.iter().map(Object::to_value).collect();
    objects.dedup_by_key(|object| object["kind"].clone());
    objects.push(fixture.instance().clone());
    let edits: Value = serde_saphyr::from_str(include_str!("edits.yaml")).expect("YAML");
    let mut subjects = Vec::new();
    for mut object in objects {
        if object["kind"] == "Service" {
            // An address is nothing that one can fill in beforehand.
            object["spec"]["clusterIP"] = json!("None");
            object["spec"]["type"] = json!("ClusterIP");
            let second = json!({"name": "second", "port": 2, "protocol": "TCP", "targetPort": 2});
            object["spec"]["ports"].as_array_mut().expect("ports").push(second);
        }
        if object["kind"] == "StatefulSet" {
            object["spec"]["replicas"] = json!(0);
        }
        if object["kind"] == "OpenClawInstance" {
            object["metadata"]["labels"] = json!({
                "app.kubernetes.io/instance": "ada", "app.kubernetes.io/managed-by": "hand",
                "app.kubernetes.io/name": "openclaw",
            });
        }
        let filled = cluster.try_create(&object).await.expect("it is taken");
        let mut object = comparable(&filled);
        let metadata = object["metadata"].as_object_mut().expect("metadata");
        metadata.retain(|name, _| !matches!(name.as_str(), "managedFields" | "generation"));
        let kind = object["kind"].as_str().expect("a kind");
        let label = |op: &str, name: &str| json!({"op": op, "path": format!("/metadata/labels/{name}"), "value": "other"});
        let edit = |name: &str, label: Value| {
            let mut patch = edits[kind][name].as_array().expect("a patch").clone();
            patch.push(label);
            Value::Array(patch)
        };
        let less = edit("less", label("remove", "app.kubernetes.io~1managed-by"));
        let more = edit("more", label("add", "team"));
        let other = edit("other", label("add", "app.kubernetes.io~1name"));
        subjects.push(Subject { object, less, more, other });
    }
    subjects
}

#[tokio::test]
async fn the_stand_in_answers_and_keeps_objects_as_the_api_server_does() {
    let cluster = Cluster::namespace("stand-in").await;
    let subjects = subjects(&cluster).await;
    let runs = subjects.iter().flat_map(|subject| {
        scenarios(subject)
            .into_iter()
            .map(|(scenario, requests)| difference(&cluster, subject, scenario, requests))
    });
    let found: Vec<String> = join_all(runs).await.into_iter().flatten().collect();
    assert!(found.is_empty(), "{} scenarios end differently\n{}", found.len(), found.join("\n"));
    cluster.end().await;
}

/// Where the two servers differ first when the same is asked of both.
async fn difference(
    cluster: &Cluster,
    subject: &Subject,
    scenario: &str,
    requests: Vec<Request>,
) -> Option<String> {
    let kind = subject.object["kind"].as_str().expect("a kind");
    let name = subject.object["metadata"]["name"].as_str().expect("a name");
    let name = format!("{scenario}-{name}");
    let api = match Kind::ALL.iter().find(|it| it.as_str() == kind) {
        Some(kind) => cluster.of(*kind),
        None => cluster.instances(),
    };
    let key = (kind.to_owned(), cluster.namespace.clone(), name.clone());
    let mut both = Both { api, key, stand_in: ApiServer::default() };
    let mut versions = (Value::Null, Value::Null);
    for (index, request) in requests.into_iter().enumerate() {
        let request = request.named(&name);
        let answers = (both.ask(&request).await, both.imitate(&request));
        let (real, imitated) = (both.live().await.unwrap_or_default(), both.imitated());
        let imitated = imitated.cloned().unwrap_or_default();
        let new_versions = (version_of(&real), version_of(&imitated));
        // Where others write the status, the version says nothing.
        let is_quiet = kind == "OpenClawInstance" || real.get("status").is_none();
        let is_written = (versions.0 != new_versions.0, versions.1 != new_versions.1);
        versions = new_versions;
        let (real, imitated) = (comparable(&real), comparable(&imitated));
        if answers.0 != answers.1 || is_quiet && is_written.0 != is_written.1 || real != imitated {
            let edits = json_patch::diff(&imitated, &real);
            return Some(format!(
                "{kind} {scenario}, request {index}: answers {answers:?}, written {is_written:?}, \
                 from the imitated to the real object: {edits:#}"
            ));
        }
    }
    None
}

fn version_of(object: &Value) -> Value {
    object["metadata"]["resourceVersion"].clone()
}
