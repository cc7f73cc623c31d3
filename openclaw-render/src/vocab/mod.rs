//! The only home of strings and numbers that several files must agree on.

pub mod annotations;
pub mod env;
pub mod exits;
pub(crate) mod grammar;
pub mod images;
pub mod labels;
pub mod names;
pub mod paths;
pub mod plugins;
pub mod ports;
pub(crate) mod schedule;

/// API group of our resources.
pub(crate) const GROUP: &str = "openclaw.rocks";
/// API version of our resources.
pub const API_VERSION: &str = "openclaw.rocks/v1alpha1";
/// Kind of an instance.
pub const KIND: &str = "OpenClawInstance";

/// Kind in which very old versions of the Go operator ran agents.
pub const DEPLOYMENT: &str = "Deployment";

/// API version of the smaller kind.
pub const AGENT_API_VERSION: &str = "openclaw.io/v1";
/// The smaller kind, from which an instance is made.
pub const AGENT_KIND: &str = "AgentInstance";

/// Namespace of an object that names none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Field manager of every server-side apply of ours.
pub const FIELD_MANAGER: &str = "openclaw-operator";

/// Field manager of what requests of agents change in their instance.
pub const SELF_CONFIG_MANAGER: &str = "openclaw-selfconfig";

/// Finalizer that keeps an instance until its volume is safe.
pub const FINALIZER: &str = "openclaw.rocks/finalizer";

/// Managers under which the Go operator wrote: its fields are taken over, see
/// [`crate::take_over_patch`].
pub const PREVIOUS_MANAGERS: &[&str] = &["manager"];
