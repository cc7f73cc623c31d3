//! Every object name, derived from one checked [`InstanceName`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hash;

/// The name of an instance that all derived names can be built from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceName(String);

/// Longest instance name: the controller-revision label of a StatefulSet's pods is the name plus
/// eleven characters, and label values end at 63.
pub const MAX_LENGTH: usize = 52;

impl InstanceName {
    /// Checks a name.
    ///
    /// # Errors
    /// When the Service of that name could not exist (RFC 1035: a lower-case letter first, then
    /// letters, digits and `-`, a letter or digit last) or it is longer than [`MAX_LENGTH`].
    pub fn new(name: &str) -> Result<Self, String> {
        let bytes = name.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !bytes.first().is_some_and(u8::is_ascii_lowercase)
            || !bytes.last().is_some_and(allowed)
            || !bytes.iter().all(|byte| allowed(byte) || *byte == b'-')
        {
            return Err(format!(
                "{name:?} cannot name a Service: begin with a lower-case letter, go on with \
                 lower-case letters, digits and `-`, end with a letter or digit"
            ));
        }
        if bytes.len() > MAX_LENGTH {
            return Err(format!(
                "is {} characters long; at most {MAX_LENGTH} leave room for derived names",
                bytes.len()
            ));
        }
        Ok(Self(name.to_owned()))
    }

    /// Stands in for a name that was refused, so that the other checks can go on.
    pub(crate) fn placeholder() -> Self {
        Self("invalid".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ConfigMap with openclaw.json and nginx.conf.
    #[must_use]
    pub fn config(&self) -> String {
        format!("{}-config", self.0)
    }

    /// The ConfigMap with the seed plan and its contents.
    #[must_use]
    pub fn workspace(&self) -> String {
        format!("{}-workspace", self.0)
    }

    /// The Secret with the gateway's token.
    #[must_use]
    pub fn gateway_token(&self) -> String {
        format!("{}-gateway-token", self.0)
    }

    /// The Secret with the name and password that the Ingress asks for.
    #[must_use]
    pub fn basic_auth(&self) -> String {
        format!("{}-basic-auth", self.0)
    }

    /// The Secret with the name and password that Traefik asks for: it reads no other form.
    #[must_use]
    pub fn basic_auth_traefik(&self) -> String {
        format!("{}-basic-auth-traefik", self.0)
    }

    /// The Middleware by which Traefik limits requests.
    #[must_use]
    pub fn rate_limit(&self) -> String {
        format!("{}-rate-limit", self.0)
    }

    /// The Middleware by which Traefik tells browsers to use only HTTPS.
    #[must_use]
    pub fn hsts(&self) -> String {
        format!("{}-hsts", self.0)
    }

    /// The claim for the agent's state.
    #[must_use]
    pub fn data(&self) -> String {
        data_claim(&self.0)
    }

    /// The claim for the state of the first replica, where each has its own.
    #[must_use]
    pub fn data_of_first(&self) -> String {
        format!("{DATA_VOLUME}-{}-0", self.0)
    }

    /// The Secret with the agent's identity in a tailnet.
    #[must_use]
    pub fn tailscale_state(&self) -> String {
        format!("{}-ts-state", self.0)
    }

    /// The PrometheusRule with the alerts.
    #[must_use]
    pub fn alerts(&self) -> String {
        format!("{}-alerts", self.0)
    }

    /// The ConfigMap with the agent's dashboard.
    #[must_use]
    pub fn dashboard(&self) -> String {
        format!("{}-dashboard-instance", self.0)
    }

    /// The CronJob that makes backups, and the NetworkPolicy of its pods.
    ///
    /// Names of CronJobs end at 52 characters. A long one is told from another by its hash.
    #[must_use]
    pub fn backup(&self) -> String {
        const SUFFIX: &str = "backup-periodic";
        match self.0.get(..27) {
            Some(beginning) if self.0.len() > 36 => {
                let hash = crate::hash::of(&self.0);
                format!("{beginning}-{}-{SUFFIX}", hash.get(..8).unwrap_or_default())
            }
            _ => format!("{}-{SUFFIX}", self.0),
        }
    }

    /// The Job of the attempt to restore this into the instance of that uid that begins at this time.
    #[must_use]
    pub fn restore(&self, uid: &str, from: &str, at: &str) -> String {
        self.of_attempt("restore", &[&self.0, uid, from, at])
    }

    /// The Job of the backup before the instance of that uid is deleted.
    #[must_use]
    pub fn last_backup(&self, uid: &str) -> String {
        self.of_attempt("last-backup", &[uid])
    }

    /// The Job of the attempt to back the instance of that uid up before the update to a version that
    /// begins at this time.
    #[must_use]
    pub fn update_backup(&self, uid: &str, version: &str, at: &str) -> String {
        self.of_attempt("update-backup", &[&self.0, uid, version, at])
    }

    /// No other attempt has a Job of that name. Names of Jobs become labels of their pods.
    fn of_attempt(&self, purpose: &str, attempt: &[&str]) -> String {
        let beginning = self.0.get(..38).unwrap_or(&self.0);
        let hash = hash::of(&attempt.join("\n"));
        format!("{beginning}-{purpose}-{}", hash.get(..8).unwrap_or_default())
    }

    /// What the names of ConfigMaps with revisions of skill packs begin with.
    #[must_use]
    pub fn packs(&self) -> String {
        format!("{}-pack-", self.0)
    }

    /// The ConfigMap with a revision of a skill pack: of the pack's entry, and of its content.
    #[must_use]
    pub fn pack(&self, source: &str, content: &str) -> String {
        format!("{}{}-{}", self.packs(), hash::of(source), hash::of(content))
    }

    /// The claim for the browser's profile.
    #[must_use]
    pub fn chromium_data(&self) -> String {
        format!("{}-chromium-data", self.0)
    }
}

/// The claim for the state of an instance of any name, also one that is no [`InstanceName`].
pub(crate) fn data_claim(instance: &str) -> String {
    format!("{instance}-data")
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for InstanceName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        Self::new(&name)
    }
}

impl From<InstanceName> for String {
    fn from(name: InstanceName) -> Self {
        name.0
    }
}

/// File of every workspace that tells an agent where it runs.
pub const ENVIRONMENT_FILE: &str = "ENVIRONMENT.md";
/// Files of the workspace by which an agent asks for changes of itself: guide, program, helper.
pub const SELF_CONFIG_FILES: [&str; 3] = ["SELFCONFIG.md", "selfconfig.mjs", "selfconfig.sh"];
/// Key of a skill pack's revision in its ConfigMap.
pub const PACK_KEY: &str = "pack.json";
/// Key of the htpasswd lines in the Secret of basic authentication.
pub const BASIC_AUTH_KEY: &str = "auth";
/// Key of the user's name in the Secret of basic authentication that the operator makes.
pub const BASIC_AUTH_USERNAME_KEY: &str = "username";
/// Key of the password in it.
pub const BASIC_AUTH_PASSWORD_KEY: &str = "password";
/// Key of the token in its Secret.
pub const TOKEN_KEY: &str = "token";
/// Key of the configuration in `<name>-config`, and the default key of `spec.config.configMapRef`.
pub const CONFIG_KEY: &str = "openclaw.json";

/// Container of the agent itself.
pub const AGENT: &str = "openclaw";
/// Native sidecar that validates and writes openclaw.json.
pub const CONFIG_SYNC: &str = "config-sync";
/// Init container that puts files and directories on the volume.
pub const INIT_CONFIG: &str = "init-config";
/// Init container that installs pnpm.
pub const INIT_PNPM: &str = "init-pnpm";
/// Init container that installs Python.
pub const INIT_PYTHON: &str = "init-python";
/// Init container that installs skills.
pub const INIT_SKILLS: &str = "init-skills";
/// Init container that installs plugins.
pub const INIT_PLUGINS: &str = "init-plugins";
/// Init container that has models fetched.
pub const INIT_OLLAMA: &str = "init-ollama";
/// Init container that brings the state on the volume up to the image's version.
pub const MIGRATE_STATE: &str = "migrate-state";

/// Init containers that end well whether they could install something or not, and say it.
pub(crate) const INSTALLERS: &[&str] =
    &[INIT_OLLAMA, INIT_PLUGINS, INIT_PNPM, INIT_PYTHON, INIT_SKILLS];

/// Names that a container of the user's cannot have: those of the operator's containers, also of
/// such that the Go operator makes.
pub(crate) const CONTAINERS: &[&str] = &[
    AGENT,
    CONFIG_SYNC,
    MIGRATE_STATE,
    "chromium",
    "gateway-proxy",
    INIT_CONFIG,
    INIT_OLLAMA,
    "init-pip",
    "init-plugin-runtime-deps",
    "init-plugins",
    "init-pnpm",
    "init-python",
    "init-skills",
    "init-tailscale-bin",
    "init-uv",
    "netbird",
    "ollama",
    "otel-collector",
    "tailscale",
    "web-terminal",
];

/// Secret with what a namespace needs of the shared storage of backups: a copy of the operator's. Whoever
/// names it means that storage, with its limits.
pub const SHARED_BACKUP: &str = "openclaw-shared-backup";
/// Keys of the Secret that names the bucket of backups.
pub mod s3 {
    /// The bucket.
    pub const BUCKET: &str = "S3_BUCKET";
    /// URL of the storage.
    pub const ENDPOINT: &str = "S3_ENDPOINT";
    /// Id of the key; both or neither.
    pub const ACCESS_KEY_ID: &str = "S3_ACCESS_KEY_ID";
    /// The key itself.
    pub const SECRET_ACCESS_KEY: &str = "S3_SECRET_ACCESS_KEY";
    /// Region of the bucket.
    pub const REGION: &str = "S3_REGION";
    /// Whose storage it is, in rclone's words.
    pub const PROVIDER: &str = "S3_PROVIDER";
    /// All of them, sorted.
    pub const ALL: [&str; 6] =
        [ACCESS_KEY_ID, BUCKET, ENDPOINT, PROVIDER, REGION, SECRET_ACCESS_KEY];
}
/// Container of a backup's pod that stores the archives, and alone knows how.
pub const BACKUP_STORE: &str = "store";
/// Container that restores a backup.
pub const RESTORE: &str = "restore";

/// Volume of the certificates that all containers trust.
pub const CA_BUNDLE_VOLUME: &str = "ca-bundle";
/// Port of metrics, in the pod and of the Service.
pub const METRICS_PORT: &str = "metrics";

/// Key of the user's name in the Secret of the web terminal.
pub const TERMINAL_USER_KEY: &str = "username";
/// Key of the password in the Secret of the web terminal.
pub const TERMINAL_PASSWORD_KEY: &str = "password";

/// Volume of the agent's state. Users may mount it, by this name.
pub const DATA_VOLUME: &str = "data";

#[cfg(test)]
mod tests {
    use super::InstanceName;

    #[test]
    fn names_that_no_service_can_have_are_refused() {
        let long = "a".repeat(53);
        for bad in ["", "1a", "-a", "a-", "A", "a.b", "a_b", "ä", &long] {
            assert!(InstanceName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn backups_of_the_longest_names_can_be_told_apart() {
        let name = |text: &str| InstanceName::new(text).unwrap().backup();
        assert_eq!(name("ada"), "ada-backup-periodic");
        assert_eq!(name(&"a".repeat(36)).len(), 52);
        let (one, other) = (name(&"a".repeat(52)), name(&"a".repeat(51)));
        assert_eq!((one.len(), other.len()), (52, 52));
        assert_ne!(one, other);
    }

    #[test]
    fn the_longest_name_is_accepted() {
        assert!(InstanceName::new(&"a".repeat(52)).is_ok());
    }
}
