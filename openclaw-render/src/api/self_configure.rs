//! What an agent may change about itself.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the agent may change about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SelfConfigureSpec {
    /// Whether the agent may ask for changes of its own instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What the agent may ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4))]
    pub allowed_actions: Option<Vec<SelfConfigAction>>,
    /// Where the agent may take new skills from, as `host`, `host/owner` or
    /// `host/owner/repository`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 253)))]
    pub allowed_skill_sources: Option<Vec<String>>,
}

/// Something that an agent may ask for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum SelfConfigAction {
    /// Adding and removing skills.
    #[serde(rename = "skills")]
    #[default]
    Skills,
    /// Changing openclaw.json.
    #[serde(rename = "config")]
    Config,
    /// Adding and removing files of the workspace.
    #[serde(rename = "workspaceFiles")]
    WorkspaceFiles,
    /// Adding and removing environment variables.
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
