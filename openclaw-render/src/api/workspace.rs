//! Files, directories, skill packs.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the agent's workspace, `~/.openclaw/workspace`, begins with. Files are written when a pod
/// is made and only where none is: from then on they are the agent's. A change does not replace the
/// pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceSpec {
    /// A ConfigMap whose keys become files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapRef>,
    /// Files by path relative to the workspace. Paths may be nested; no segment begins with a dot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_files: Option<BTreeMap<String, String>>,
    /// Directories to make, relative to the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_directories: Option<Vec<String>>,
    /// Workspaces of further agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_workspaces: Option<Vec<AdditionalWorkspace>>,
    /// The introduction that a new agent gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<BootstrapSpec>,
}

/// A workspace of a further agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalWorkspace {
    /// Its name: lower-case letters, digits and single hyphens.
    pub name: String,
    /// A ConfigMap whose keys become files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapRef>,
    /// Files by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_files: Option<BTreeMap<String, String>>,
    /// Directories to make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_directories: Option<Vec<String>>,
    /// Skills of this workspace only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skills: Option<Vec<String>>,
}

/// A ConfigMap in the instance's namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapRef {
    /// Name of the ConfigMap.
    pub name: String,
}

/// The introduction that a new agent gets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BootstrapSpec {
    /// Whether `BOOTSTRAP.md` is seeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What happens to files of a skill pack that changed.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum SkillPackUpdatePolicy {
    /// They are replaced.
    #[default]
    Replace,
    /// They stay as they are.
    CreateOnly,
}

impl fmt::Display for SkillPackUpdatePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replace => "Replace",
            Self::CreateOnly => "CreateOnly",
        })
    }
}
