//! Every object name, derived from one checked [`InstanceName`].

use std::fmt;

use serde::{Deserialize, Serialize};

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

    /// The claim for the agent's state.
    #[must_use]
    pub fn data(&self) -> String {
        data_claim(&self.0)
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

/// Files of the workspace by which an agent asks for changes of itself: guide, program, helper.
pub const SELF_CONFIG_FILES: [&str; 3] = ["SELFCONFIG.md", "selfconfig.mjs", "selfconfig.sh"];
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
/// Init container that installs pnpm.
pub const INIT_PNPM: &str = "init-pnpm";
/// Init container that installs Python.
pub const INIT_PYTHON: &str = "init-python";
/// Init container that installs skills.
pub const INIT_SKILLS: &str = "init-skills";
/// Init container that installs plugins.
pub const INIT_PLUGINS: &str = "init-plugins";
/// Init container that brings the state on the volume up to the image's version.
pub const MIGRATE_STATE: &str = "migrate-state";

/// Init containers that end well whether they could install something or not, and say it.
pub(crate) const INSTALLERS: &[&str] = &[INIT_PLUGINS, INIT_PNPM, INIT_PYTHON, INIT_SKILLS];

/// Names that a container of the user's cannot have: those of the operator's containers, also of
/// such that the Go operator makes.
pub(crate) const CONTAINERS: &[&str] = &[
    AGENT,
    CONFIG_SYNC,
    MIGRATE_STATE,
    "chromium",
    "gateway-proxy",
    "init-config",
    "init-ollama",
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
    fn the_longest_name_is_accepted() {
        assert!(InstanceName::new(&"a".repeat(52)).is_ok());
    }
}
