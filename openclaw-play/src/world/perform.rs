//! What is done to the world: effects as the shell performs them, and the status.

use std::collections::BTreeMap;

use openclaw_render::vocab::{DEPLOYMENT, FIELD_MANAGER, KIND};
use openclaw_render::{Action, Effect, ObjectKey, Plan, Target, diff, owned};
use serde_json::{Value, json};

use super::{PASSES, World, key_of_named};
use crate::api_server::{Key, Refusal};

/// Why a world did not go on as one should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The API server refuses something of which the operator could know.
    #[error("the API server refuses to {what}: {refusal}")]
    Refused {
        /// Verb and object.
        what: String,
        /// What it says.
        refusal: Refusal,
    },
    /// What is stored after an apply is not what was applied.
    #[error("an apply of {object} leaves {changes}")]
    Unsettled {
        /// The object.
        object: String,
        /// What differs.
        changes: String,
    },
    /// One pass leads to another.
    #[error("the operator does not come to rest within {PASSES} passes; the last effects: {last}")]
    Restless {
        /// What the last passes did.
        last: String,
    },
    /// A restore would overwrite what an agent writes.
    #[error("a restore begins beside the agent's pod")]
    RestoreBesideAgent,
}

/// What became of effects that were not performed.
#[derive(Default)]
pub(super) struct Failures {
    pub(super) refused: BTreeMap<ObjectKey, String>,
    pub(super) besides: BTreeMap<String, String>,
    pub(super) withheld: BTreeMap<ObjectKey, Vec<ObjectKey>>,
}

impl World {
    /// Performs effects as the shell does: what depends on a failed one is left out.
    pub(super) fn execute(&mut self, effects: &[Effect]) -> Failures {
        let mut failures = Failures::default();
        for effect in effects {
            let object = effect.object().cloned();
            let refused = |key: &ObjectKey| failures.refused.contains_key(key);
            if object.as_ref().is_some_and(refused) {
                continue;
            }
            let failed: Vec<ObjectKey> =
                effect.after.iter().filter(|key| refused(key)).cloned().collect();
            if !failed.is_empty() {
                failures.withheld.extend(object.map(|key| (key, failed)));
                continue;
            }
            let said = "not allowed here".to_owned();
            let target = effect.target.to_string();
            match (self.refused.contains(&target), object) {
                (false, _) => {
                    if let Err(trouble) = self.perform(effect) {
                        self.trouble.get_or_insert(trouble);
                    }
                }
                (true, Some(key)) => drop(failures.refused.insert(key, said)),
                (true, None) => drop(failures.besides.insert(target, said)),
            }
            if effect.target == Target::Instance && !failures.besides.is_empty() {
                break;
            }
        }
        failures
    }

    /// Notes what nobody expected to be refused.
    pub(super) fn expect_taken<T>(&mut self, verb: &str, key: &Key, outcome: Result<T, Refusal>) {
        if let Err(refusal) = outcome {
            let what = format!("{verb} {}/{}", key.0, key.2);
            self.trouble.get_or_insert(Trouble::Refused { what, refusal });
        }
    }

    /// Performs one effect as the shell does.
    ///
    /// # Errors
    /// The API server refuses it, or stores something else.
    pub fn perform(&mut self, effect: &Effect) -> Result<(), Trouble> {
        let key = match &effect.target {
            Target::Object(key) => key_of_named(key.kind.as_str(), &key.name),
            Target::Pod(name) => key_of_named("Pod", name),
            Target::Deployment(name) => key_of_named(DEPLOYMENT, name),
            Target::Instance => key_of_named(KIND, &self.instance),
        };
        let outcome = match &effect.action {
            Action::Apply(object) => return self.apply(&effect.target.to_string(), object),
            Action::Create(object) => match self.server.create(object, FIELD_MANAGER) {
                Err(Refusal::AlreadyExists) => Ok(()),
                other => other.map(drop),
            },
            Action::JsonPatch(patch) => {
                self.server.json_patch(&key, patch, FIELD_MANAGER).map(drop)
            }
            Action::MergePatch(patch) => match self.get(&key.0, &key.2).cloned() {
                Some(mut live) => {
                    json_patch::merge(&mut live, patch);
                    self.server.update(&live, FIELD_MANAGER).map(drop)
                }
                // There is nothing to do if it is gone.
                None => Ok(()),
            },
            Action::Delete { uid } => self.server.delete(&key, Some(uid)),
            Action::DeleteWithDependents { uid } => self.delete_with_dependents(&key, uid),
        };
        let what = || format!("{} {}", effect.verb(), effect.target);
        outcome.map_err(|refusal| Trouble::Refused { what: what(), refusal })
    }

    /// Applies as the shell does: once more where the first time has emptied a map.
    fn apply(&mut self, name: &str, object: &Value) -> Result<(), Trouble> {
        let refused = |refusal| Trouble::Refused { what: format!("apply {name}"), refusal };
        let is_settled = |live: &Value| owned(live, FIELD_MANAGER) == *object;
        let mut live = self.server.apply(object, FIELD_MANAGER, true).map_err(refused)?;
        if !is_settled(&live) {
            live = self.server.apply(object, FIELD_MANAGER, true).map_err(refused)?;
        }
        if !is_settled(&live) {
            // It would be sent again and again.
            let changes = format!("{:?}", diff(object, &live));
            return Err(Trouble::Unsettled { object: name.to_owned(), changes });
        }
        Ok(())
    }

    pub(super) fn publish(&mut self, plan: &Plan) {
        let key = key_of_named(KIND, &self.instance);
        let Some(status) = self.live_instance().and_then(|live| plan.news(live)) else { return };
        let patch = json!([{"op": "add", "path": "/status", "value": status}]);
        let written = self.server.json_patch(&key, &patch, FIELD_MANAGER);
        self.expect_taken("write the status of", &key, written);
    }
}
