//! Paths inside containers and inside volumes.

/// HOME of the agent.
pub const HOME: &str = "/home/openclaw";
/// State directory of the application.
pub const STATE: &str = "/home/openclaw/.openclaw";
/// The configuration that the application reads.
pub const CONFIG_FILE: &str = "/home/openclaw/.openclaw/openclaw.json";
/// Temporary files; sticky, because the application refuses another one.
pub const TMP: &str = "/tmp";

/// Where config-sync sees the ConfigMap.
pub const OPERATOR_CONFIG: &str = "/operator-config";
/// Where config-sync keeps the file under validation.
pub const SYNC_WORK: &str = "/sync";
/// Where migrate-state works.
pub const MIGRATE_WORK: &str = "/migrate";
/// Where the init container sees the seed plan and its contents.
pub const WORKSPACE_INIT: &str = "/workspace-init";
/// Where the init containers see the data volume's root.
pub const DATA: &str = "/data";
/// Where the init container sees the scratch volume's root.
pub const SCRATCH: &str = "/scratch";
/// Directory of the helper binary in every container that uses it.
pub const HELPER_DIR: &str = "/openclaw-helper";
/// The helper binary in the containers of the agent's image.
pub const HELPER: &str = "/openclaw-helper/openclaw-cli";
/// The helper binary in the operator's image.
pub const HELPER_IN_IMAGE: &str = "/openclaw-cli";
/// Directory of the proxy's configuration.
pub const PROXY_CONFIG: &str = "/etc/nginx/openclaw";
/// Where a container leaves its last words for `kubectl describe`.
pub const TERMINATION_LOG: &str = "/dev/termination-log";

/// Directory of the data volume that is the agent's HOME in layout `home`.
pub const HOME_DIRECTORY: &str = "home";
/// Directory of the state below HOME.
pub const STATE_DIRECTORY: &str = ".openclaw";
/// Directory of the default workspace below the state directory.
pub const WORKSPACE_DIRECTORY: &str = "workspace";
/// Directories of HOME that a flat volume keeps beside the state.
pub const HOME_DIRECTORIES: &[&str] = &[".cache", ".config", ".local"];
/// File at the data volume's root that names the version which last ran there. In layout `home` no
/// container of the agent's sees it.
pub const VERSION_FILE: &str = ".openclaw-version";
/// Directory of the scratch volume that is the agent's `/tmp`.
pub const SCRATCH_TMP: &str = "tmp";
/// Directory of the scratch volume where migrate-state works.
pub const SCRATCH_MIGRATE: &str = "migrate";
/// Directory of the scratch volume where config-sync works.
pub const SCRATCH_SYNC: &str = "sync";
/// Directory of the scratch volume that is config-sync's `/tmp`.
pub const SCRATCH_SYNC_TMP: &str = "sync-tmp";
