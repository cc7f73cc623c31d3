//! Exit codes that containers of agents end with, and that mean something to the operator.

/// The application: its configuration or its state is at fault.
pub const CONFIGURATION: i32 = 78;
/// migrate-state: the image's version is older than the one that last ran on the volume.
pub const OLDER_VERSION: u8 = 79;
