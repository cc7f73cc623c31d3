//! What an agent may change about itself.

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
    pub allowed_actions: Option<Vec<SelfConfigureAction>>,
    /// Where the agent may take new skills from, as `host/owner/repository` prefixes. Default: no
    /// restriction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 253)))]
    pub allowed_skill_sources: Option<Vec<String>>,
}

/// Something that an agent may ask for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum SelfConfigureAction {
    /// Adding and removing skills.
    #[serde(rename = "skills")]
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
