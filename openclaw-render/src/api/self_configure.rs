//! What the agent may change about itself.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that an agent may change about itself.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum SelfConfigAction {
    /// Its skills.
    #[serde(rename = "skills")]
    #[default]
    Skills,
    /// Its configuration.
    #[serde(rename = "config")]
    Config,
    /// Files of its workspace.
    #[serde(rename = "workspaceFiles")]
    WorkspaceFiles,
    /// Its environment variables.
    #[serde(rename = "envVars")]
    EnvVars,
}

impl fmt::Display for SelfConfigAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skills => "skills",
            Self::Config => "config",
            Self::WorkspaceFiles => "workspaceFiles",
            Self::EnvVars => "envVars",
        })
    }
}

/// What the agent may change about itself through OpenClawSelfConfig.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SelfConfigureSpec {
    /// Whether the agent may ask for changes of its own spec. It gets a token, rights for its own
    /// requests, and a guide and a helper in its workspace. Requests are carried out while the chart's
    /// policy shows who makes them. Defaults to false. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What the agent may change: `skills`, `config`, `workspaceFiles`, `envVars`. At most 4.
    /// Defaults to none, which denies every request. A change counts for the next request, and is in
    /// the agent's guide when the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_actions: Option<Vec<SelfConfigAction>>,
    /// Sources of the skills that the agent may add. Written `host/owner/repository`, or only its
    /// beginning: `github.com/example`. Defaults to every source. A change counts for the next
    /// request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_skill_sources: Option<Vec<String>>,
}
