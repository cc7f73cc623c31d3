//! [`Observed`]: everything that the world told us, as plain data.

mod fact;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ConfigMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::OpenClawClusterDefaults;
use crate::backups::Outcome;
use crate::effect::{Question, Read};
use crate::facts;
use crate::lifecycle::requests::Requests;
use crate::object::{Kind, ObjectKey};
use crate::pacing::{Cause, News, Turn};
use crate::packs::PackSeen;
use crate::version::Version;

pub use fact::Fact;

/// Everything that the world told us of one instance and of what it refers to.
///
/// All names are of the instance's namespace. What a map does not mention is [`Fact::Unknown`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Observed {
    /// The clock; written into conditions.
    pub now: Option<jiff::Timestamp>,
    /// 64 lower-case hexadecimal digits of randomness for a gateway token, made anew for every
    /// pass and used only when the Secret must be created.
    pub random_token: Option<String>,
    /// 72 lower-case hexadecimal digits of randomness for the password of an Ingress, like
    /// `random_token`: 40 of them become the password, and 32 are salt.
    pub random_password: Option<String>,
    /// The OpenClawClusterDefaults named `cluster`.
    pub cluster_defaults: Fact<OpenClawClusterDefaults>,
    /// Which kinds of other projects the cluster has, see [`Kind::project`]. A kind is known once all
    /// of its objects have been listed.
    pub kinds: BTreeMap<Kind, Fact<()>>,
    /// ConfigMaps that the spec refers to.
    pub config_maps: BTreeMap<String, Fact<BTreeMap<String, String>>>,
    /// Secrets that the spec refers to: a hash per key, never a value.
    pub secrets: BTreeMap<String, Fact<BTreeMap<String, String>>>,
    /// Claims that the instance uses.
    pub claims: BTreeMap<String, Fact<Claim>>,
    /// ConfigMaps, Secrets and claims that nobody has seen and that something else will make.
    pub promised: BTreeSet<ObjectKey>,
    /// What the cache knows of objects that could be ours.
    pub objects: BTreeMap<ObjectKey, Fact<Seen>>,
    /// Whole objects, for those that an earlier plan asked for.
    pub live: BTreeMap<ObjectKey, Value>,
    /// The Deployment of the instance's name.
    pub deployment: Fact<Deployment>,
    /// The instance's pods.
    pub pods: Fact<Vec<Pod>>,
    /// Jobs that make the instance's backups.
    pub backup_jobs: Fact<Vec<BackupJob>>,
    /// Pods of such Jobs.
    pub backup_pods: Fact<Vec<BackupPod>>,
    /// Why the shared storage of backups is not there for the namespace, if it should be.
    pub shared_storage: Option<String>,
    /// Annotations of the namespace that count for its agents, see
    /// [`OF_NAMESPACES`](crate::vocab::annotations::OF_NAMESPACES).
    pub namespace: Fact<BTreeMap<String, String>>,
    /// What became of the question that an earlier plan asked of config-sync.
    pub asked: Option<Asked>,
    /// What there is to say of the requests of the agent.
    pub requests: Requests,
    /// What the registry said of the agent's image.
    pub registry: Option<Registry>,
    /// What is said of its turn to be replaced, where many agents are for one cause.
    pub turns: Vec<Turn>,
    /// What became of the skill packs that an earlier plan wanted, by their entry without `pack:`.
    pub packs: BTreeMap<String, PackSeen>,
    /// Objects whose last apply did not make them equal to what was sent, as the pair of hashes
    /// (sent, stored): they are not sent again.
    pub unsettled: BTreeMap<ObjectKey, (String, String)>,
    /// Objects that the API server refused in this pass, and what it said.
    pub refused: BTreeMap<ObjectKey, String>,
    /// What else the API server refused in this pass, the instance itself or a Deployment, and what
    /// it said.
    pub refused_besides: BTreeMap<String, String>,
    /// Objects whose effect was left out in this pass, with those among `after` that failed.
    pub withheld: BTreeMap<ObjectKey, Vec<ObjectKey>>,
}

impl Observed {
    /// Returns whether the cluster has a kind. Those of Kubernetes itself it always has.
    pub(crate) fn has(&self, kind: Kind) -> &Fact<()> {
        match kind.project() {
            None => &Fact::Known(()),
            Some(_) => self.kinds.get(&kind).unwrap_or(&Fact::Unknown),
        }
    }

    /// Returns what is said of the agent's turn for a cause.
    pub(crate) fn news_of(&self, cause: &Cause) -> Option<News> {
        self.turns.iter().find(|turn| turn.cause == *cause).map(|turn| turn.news)
    }

    /// Returns whether somebody has looked at what an object holds.
    pub(crate) fn has_seen(&self, ObjectKey { kind, name }: &ObjectKey) -> bool {
        fn is_seen<T>(facts: &BTreeMap<String, Fact<T>>, name: &str) -> bool {
            matches!(facts.get(name), Some(Fact::Known(_) | Fact::Absent))
        }
        if *kind == Kind::PersistentVolumeClaim {
            is_seen(&self.claims, name)
        } else if *kind == Kind::Secret {
            is_seen(&self.secrets, name)
        } else if *kind == Kind::StatefulSet {
            let key = ObjectKey::new(*kind, name);
            matches!(self.objects.get(&key), Some(Fact::Known(_) | Fact::Absent))
        } else {
            is_seen(&self.config_maps, name)
        }
    }

    /// Takes in the answer to a [`Read`] of an object, for the instance of that name: the object as
    /// it is, or that it is not there. What does not decode stays unknown.
    pub fn look(&mut self, read: &Read, live: Option<&Value>, instance: &str) {
        fn fact<L: DeserializeOwned, T>(live: Option<&Value>, of: fn(&L) -> T) -> Fact<T> {
            let Some(live) = live else { return Fact::Absent };
            L::deserialize(live).map_or(Fact::Unknown, |live| Fact::Known(of(&live)))
        }
        let key = match read {
            Read::Metadata(key) | Read::Live(key) | Read::Content(key) => key,
            Read::Deployment(_) => {
                self.deployment =
                    live.map_or(Fact::Absent, |live| Fact::Known(facts::deployment_facts(live)));
                return;
            }
            Read::Namespace => {
                self.namespace =
                    live.map_or(Fact::Absent, |live| Fact::Known(facts::namespace_facts(live)));
                return;
            }
            Read::ClusterDefaults => return,
        };
        let seen = live.map_or(Fact::Absent, |live| Fact::Known(facts::seen(live, instance)));
        self.objects.insert(key.clone(), seen);
        let name = key.name.clone();
        if key.kind == Kind::PersistentVolumeClaim {
            self.claims.insert(name, fact(live, facts::claim_facts));
        } else if key.kind == Kind::Secret {
            self.secrets.insert(name, fact(live, facts::secret_hashes));
        } else if key.kind == Kind::ConfigMap {
            let data = |map: &ConfigMap| map.data.clone().unwrap_or_default();
            self.config_maps.insert(name, fact(live, data));
        }
        if let (Read::Live(_), Some(live)) = (read, live) {
            self.live.insert(key.clone(), live.clone());
        }
    }

    /// Returns what the pod said last to the question that stands, with that question.
    pub(crate) fn answer_of(&self, pod: &Pod) -> Option<(&Asked, &ConfigSync)> {
        let asked = self.asked.as_ref().filter(|asked| asked.question.uid == pod.uid)?;
        Some((asked, asked.answer.as_ref()?))
    }
}

/// What the cache keeps of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Seen {
    /// Its uid.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
    /// uid of the controlling owner; if none controls it, of the instance among its owners.
    pub controller: Option<String>,
    /// Whether it carries the labels of this instance, `managed-by` included.
    pub labelled: bool,
    /// Hash of the part that our field manager owns, see [`crate::owned_hash`].
    pub owned_hash: String,
    /// Whether a field manager of the Go operator still owns a part of it.
    pub previous_manager: bool,
    /// Annotations of ours that a later pass asks for, see
    /// [`OF_OBJECTS`](crate::vocab::annotations::OF_OBJECTS).
    pub annotations: BTreeMap<String, String>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// For a StatefulSet: `spec.replicas`.
    pub replicas: Option<i32>,
    /// For a StatefulSet: the same, if it is we who set it, or will be once the Go operator's fields are
    /// ours.
    pub set_replicas: Option<i32>,
    /// For an HTTPRoute: what its Gateways say.
    pub gateways: Gateways,
    /// For a StatefulSet: its claim templates, which never change.
    pub claim_templates: Vec<Value>,
    /// For a StatefulSet: what its controller reports.
    pub workload: Option<Workload>,
}

impl Seen {
    /// Whether somebody else has made it and looks after it, if its name is one of ours.
    pub(crate) fn is_lent(&self, uid: Option<&str>) -> bool {
        !self.labelled && !self.is_controlled_by(uid)
    }

    /// Whether the instance of that uid controls it; one without a uid controls nothing.
    #[must_use]
    pub fn is_controlled_by(&self, uid: Option<&str>) -> bool {
        uid.is_some() && self.controller.as_deref() == uid
    }
}

/// A Deployment, of which very old versions of the Go operator made one to run an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Deployment {
    /// Its uid.
    pub uid: String,
    /// uids of its owners.
    pub owners: Vec<String>,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// What the Gateways of an HTTPRoute say of it as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Gateways {
    /// Every one accepts it.
    Accept,
    /// One of them does not, for this reason.
    Refuse(String),
    /// Not all have answered.
    #[default]
    Silent,
}

/// What the StatefulSet controller reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Workload {
    /// Whether the report is about the newest spec.
    pub current: bool,
    /// Pods that exist.
    pub replicas: i32,
    /// Name of the newest revision.
    pub update_revision: String,
}

/// A volume claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Claim {
    /// Its uid.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
    /// Value of annotation `openclaw.rocks/layout`.
    pub layout: Option<String>,
    /// Requested size, as a quantity.
    pub size: Option<String>,
    /// Storage class, when it names one.
    pub storage_class: Option<String>,
    /// `Pending`, `Bound` or `Lost`.
    pub phase: Option<String>,
    /// Its owner references, in order, as they stand.
    pub owner_references: Vec<Value>,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// One pod of the instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Where it answers, once it has an address.
    pub address: Option<String>,
    /// Whether it has a config-sync. A pod of the Go operator has none.
    pub config_sync: bool,
    /// Its revision, from label `controller-revision-hash`.
    pub revision: String,
    /// Whether its condition `Ready` is true.
    pub ready: bool,
    /// Since when it is, if it is.
    pub ready_since: Option<jiff::Timestamp>,
    /// Version of OpenClaw that it runs: as its image said when it started, or else as the image's
    /// tag says.
    pub version: Option<Version>,
    /// Claim of its volume.
    pub claim: Option<String>,
    /// Value of annotation `openclaw.rocks/rendered-config`.
    pub rendered_config: Option<String>,
    /// Why it is not ready, gravest first.
    pub trouble: Vec<Trouble>,
    /// Whether its version has been let onto the volume, so that an older one may not be any more.
    pub used_state: bool,
    /// What could not be installed in it, and why.
    pub not_installed: Vec<String>,
}

/// A Job that makes a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupJob {
    /// Its name.
    pub name: String,
    /// Name of the CronJob that controls it. One that was begun by hand has it, too.
    pub schedule: Option<String>,
    /// When it ended.
    pub ended: Option<jiff::Timestamp>,
    /// Whether it ended well; `None` while it runs.
    pub succeeded: Option<bool>,
    /// Why it ended badly.
    pub message: Option<String>,
}

/// A pod of such a Job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupPod {
    /// Its name.
    pub name: String,
    /// Name of the Job that controls it.
    pub job: String,
    /// What it says of a backup that is stored.
    pub outcome: Option<Outcome>,
    /// Why it does not go on, gravest first.
    pub trouble: Vec<Trouble>,
}

/// Why a pod is not ready.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// Its node does not report any more: node.
    NodeLost(String),
    /// No node takes it; the scheduler's message.
    Unschedulable(String),
    /// An image cannot be pulled: container and message.
    ImagePull(String, String),
    /// A container ended: container, exit code, last words.
    Exited(String, i32, String),
    /// A container was killed for its memory: container.
    OutOfMemory(String),
    /// A container runs, was ready, and does not pass its probe any more: container.
    NotResponding(String),
    /// A container has not started yet: container and reason.
    Waiting(String, String),
}

/// A question to config-sync, and what came of it so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The question.
    pub question: Question,
    /// The last answer to it.
    pub answer: Option<ConfigSync>,
    /// When it was answered first.
    pub answered_since: Option<jiff::Timestamp>,
    /// Since when nobody answers it any more.
    pub silent_since: Option<jiff::Timestamp>,
}

/// What a registry said of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Registry {
    /// The image, without tag.
    pub repository: String,
    /// When its tags were read last; `None` if they never were.
    pub looked_at: Option<jiff::Timestamp>,
    /// Its tags, as they were then.
    pub tags: BTreeSet<String>,
    /// Why they could not be read since.
    pub failure: Option<String>,
}

/// What config-sync says of the configuration and its volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigSync {
    /// Hash of the file that the application reads, or of the one that it was migrated from.
    pub applied_hash: Option<String>,
    /// How the application's own migration changed that file; empty when it did not.
    pub migrated: Vec<String>,
    /// Hash of the file that the application's validator refused.
    pub rejected_hash: Option<String>,
    /// What the agent had written into the file last that could not be used.
    pub set_aside: Option<String>,
    /// Why it was refused, or why the newest one is not in place.
    pub message: Option<String>,
    /// Space that is left on the agent's volume.
    pub free_bytes: Option<u64>,
}
