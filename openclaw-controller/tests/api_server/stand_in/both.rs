//! One object on both servers, and what they answer.

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use openclaw_render::take_over_patch;
use openclaw_render::vocab::FIELD_MANAGER;
use serde_json::Value;

use super::request::Request::{self, Apply, Create, Delete, JsonPatch, TakeOver, Update};
use super::request::{PREVIOUS, changed};
use openclaw_play::api_server::{ApiServer, Key, Refusal};

/// One object on both servers.
pub(crate) struct Both {
    pub(crate) api: Api<DynamicObject>,
    pub(crate) key: Key,
    pub(crate) stand_in: ApiServer,
}

pub(crate) type Answer = Result<(), &'static str>;

impl Both {
    pub(crate) async fn live(&self) -> Option<Value> {
        let live = self.api.get_opt(&self.key.2).await.expect("an answer")?;
        Some(serde_json::to_value(live).expect("JSON"))
    }

    pub(crate) fn imitated(&self) -> Option<&Value> {
        self.stand_in.get(&self.key.0, &self.key.1, &self.key.2)
    }

    /// Controllers write the status between a read and a write: that conflict is not meant.
    pub(crate) async fn ask(&self, request: &Request) -> Answer {
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

    pub(crate) fn imitate(&mut self, request: &Request) -> Answer {
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
