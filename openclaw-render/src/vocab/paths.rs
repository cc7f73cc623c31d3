//! Paths inside containers and inside volumes.

/// HOME of the agent.
pub const HOME: &str = "/home/openclaw";
/// State directory of the application.
pub const STATE: &str = "/home/openclaw/.openclaw";
/// The configuration that the application reads.
pub const CONFIG_FILE: &str = "/home/openclaw/.openclaw/openclaw.json";
/// Programs that were installed for the agent.
pub const TOOLS: &str = "/home/openclaw/.local/bin";
/// Temporary files; sticky, because the application refuses another one.
pub const TMP: &str = "/tmp";

/// Where the init containers see the data volume's root.
pub const DATA: &str = "/data";
/// Directory of the helper binary in every container that uses it.
pub const HELPER_DIR: &str = "/openclaw-helper";
/// The helper binary in the containers of the agent's image.
pub const HELPER: &str = "/openclaw-helper/openclaw-cli";
/// Where a container leaves its last words for `kubectl describe`.
pub const TERMINATION_LOG: &str = "/dev/termination-log";

/// Where the browser keeps a profile that outlives the pod.
pub const CHROMIUM_PROFILE: &str = "/chromium-data";

/// Directory of the data volume that is the agent's HOME in layout `home`.
pub const HOME_DIRECTORY: &str = "home";
/// Directory of the state below HOME.
pub const STATE_DIRECTORY: &str = ".openclaw";
/// Directories of HOME that a flat volume keeps beside the state.
pub const HOME_DIRECTORIES: &[&str] = &[".cache", ".config", ".local"];
/// File at the data volume's root that names the version which last ran there. In layout `home` no
/// container of the agent's sees it.
pub const VERSION_FILE: &str = ".openclaw-version";
/// File at the data volume's root that says which files were made there from what. In layout `home`
/// no container of the agent's sees it.
pub const SEED_RECORD: &str = ".openclaw-seed.json";
/// File beside openclaw.json that holds what was merged into it last.
pub const MERGED_FILE: &str = ".openclaw-merged.json";
/// What the agent had written last that could not be used, beside openclaw.json.
pub const REFUSED_FILE: &str = "openclaw.json.refused";
/// Where programs look for the token of their ServiceAccount.
pub const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Certificates of the user's, in every container.
pub const CA_BUNDLE: &str = "/etc/ssl/certs/custom-ca-bundle.crt";

/// Returns an absolute path without what makes no difference: doubled and trailing slashes, `.`.
pub(crate) fn normalised(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !matches!(*segment, "" | "."));
    let joined = segments.collect::<Vec<_>>().join("/");
    format!("/{joined}")
}
