//! Renders the Kubernetes objects of OpenClaw agents: pure functions over plain data.
//!
//! [`resolve`] turns an instance and what the world says into a [`Resolved`] or into all
//! [`Problem`]s at once; [`render`] turns that into every object, the same bytes for the same
//! input; [`plan()`] compares with what is there and says what to do. [`render_instance`] does the
//! first two in one call:
//!
//! ```
//! use openclaw_render::api::OpenClawInstance;
//! use openclaw_render::{Observed, Settings, render_instance};
//!
//! let instance: OpenClawInstance = serde_json::from_value(serde_json::json!({
//!     "apiVersion": "openclaw.rocks/v1alpha1",
//!     "kind": "OpenClawInstance",
//!     "metadata": {"name": "ada", "namespace": "agents"},
//!     "spec": {"image": {"tag": "2026.9.6"}},
//! }))?;
//! let (objects, problems) = render_instance(&instance, &Observed::default(), &Settings::default());
//! for problem in problems {
//!     eprintln!("{problem}");
//! }
//! for object in objects {
//!     println!("---\n{}", object.to_yaml());
//! }
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! What this crate does not do: it reads no file, clock, environment, network or randomness, keeps
//! no state between calls, and talks to no cluster. It enables no Kubernetes version feature of
//! `k8s-openapi`; the program that embeds it does.

mod agent_instance;
pub mod api;
pub mod backups;
pub mod bounded;
pub mod canonical;
mod claims;
mod config;
mod consequence;
mod documents;
mod effect;
mod facts;
pub mod gateway_api;
mod gateway_facts;
mod hash;
mod invariants;
mod lifecycle;
mod maintenance;
pub mod monitoring;
mod nesting;
mod object;
mod observed;
pub mod ownership;
pub mod pacing;
pub mod packs;
mod plan;
mod pod;
mod power;
mod predecessor;
mod problem;
pub mod quantity;
mod release;
mod resolution;
mod resolve;
mod resource;
mod rollout;
pub mod seed;
mod self_config;
mod settings;
mod status;
pub mod traefik;
mod version;
pub mod vocab;
mod wait;

pub use agent_instance::{instance_of_agent, path_in_agent};
pub use consequence::{Consequence, consequence};
pub use documents::{Documents, Found, decode_instance};
pub use effect::{
    Action, Effect, Event, EventKind, Lookup, Plan, Purpose, Question, Read, Target, side_by_side,
};
pub use facts::{
    backup_job_facts, backup_pod_facts, claim_facts, deployment_facts, instance_of, is_agents_pod,
    labelled_instance, namespace_facts, pod_facts, secret_hashes, seen,
};
pub use invariants::{pod_security_violations, violations};
pub use lifecycle::requests::{
    Asked as RequestsAsked, Enforcement, Proof, RequestSeen, RequestStep, Requests, RequestsSeen,
    request_steps,
};
pub use lifecycle::sharing::{SharingSeen, SharingStep, share_backups, shared_backup_secret};
pub use lifecycle::update::{UpdateNews, update_news};
pub use object::{Kind, Object, ObjectKey, Ownership};
pub use observed::{
    Asked, BackupJob, BackupPod, Claim, ConfigSync, Deployment, Fact, Gateways, Observed, Pod,
    Registry, Seen, Trouble, Workload,
};
pub use ownership::{
    Change, Manager, diff, foreign_managers, hash, owned, owned_hash, take_over_patch,
};
pub use plan::{
    AgentPlan, AgentWorld, StoredInstance, plan, plan_agent, plan_stored, render_instance,
};
pub use problem::{Problem, Rule, Severity, printable};
pub use release::{is_release, newest_release, newest_releases};
pub use resolution::{Resolution, resolve};
pub use resolve::{Resolved, refused_downgrade};
pub use self_config::{
    Answer, Overwrites, Verdict, answer_request, changed_by_others, judge_request, last_writer,
    request_ended, request_waits,
};
pub use settings::Settings;
pub use version::Version;

/// Every object of an instance, in the order in which objects are applied.
///
/// Total: whatever [`resolve`] accepts can be rendered. Same input, same bytes.
#[must_use]
pub fn render(instance: &Resolved) -> Vec<Object> {
    resource::render(instance).into_iter().map(|rendered| rendered.object).collect()
}
