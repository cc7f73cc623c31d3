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

/// API version of our resources.
pub const API_VERSION: &str = "openclaw.rocks/v1alpha1";
/// Kind of an instance.
pub const KIND: &str = "OpenClawInstance";

/// Namespace of an object that names none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Field manager of every server-side apply of ours.
pub const FIELD_MANAGER: &str = "openclaw-operator";

/// Finalizer that keeps an instance until its volume is safe.
pub const FINALIZER: &str = "openclaw.rocks/finalizer";

/// Managers under which the Go operator wrote: its fields are taken over, see
/// [`crate::take_over_patch`].
pub const PREVIOUS_MANAGERS: &[&str] = &["manager"];
