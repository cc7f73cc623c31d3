//! A cluster in memory, in which the life of an agent is played.
//!
//! A [`Scene`] says what happens: an instance is created, a Secret is deleted, a pod does not start.
//! In a [`World`] it happens, with the operator's own decisions, made by
//! [`plan_stored`](openclaw_render::plan_stored), and with the little of Kubernetes that answers
//! them. The [`Transcript`] tells it pass by pass: what the operator sees, does and says.
//!
//! ```
//! use openclaw_play::Scene;
//!
//! let created = serde_json::json!({
//!     "step": "The user creates an instance.",
//!     "instance": {"metadata": {"name": "ada"}, "spec": {"image": {"tag": "2026.9.6"}}},
//! });
//! let scene = Scene::read(vec![created], |_| Err("no files here".to_owned())).expect("a scene");
//! let transcript = scene.play();
//! assert!(transcript.wrong.is_none());
//! assert!(transcript.to_string().contains("apply StatefulSet/ada"));
//! ```
//!
//! Pure, and total over what a scene may say: no clock, no files, no randomness, no panics. It is no
//! second implementation of anything that the operator decides. The tests of `openclaw-render` play
//! their scenes in it, and a test against a real API server holds [`ApiServer`] to what that does.

pub mod api_server;
mod field_sets;
mod merge;
pub mod scene;
mod transcript;
mod values;
pub mod world;

pub use api_server::ApiServer;
pub use scene::Scene;
pub use transcript::{Played, PlayedPass, Transcript};
pub use world::World;
