//! Files, directories, skills and runtime tools that the agent finds when it starts.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ResourcesSpec, SidecarImage};

/// What is put into the agent's workspace `~/.openclaw/workspace/`. Files are written only where
/// none exists: from then on they belong to the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceSpec {
    /// A ConfigMap whose keys become files of the workspace. `initialFiles` of the same name win.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapRef>,
    /// Files by path below the workspace. A path is relative, has at most 253 characters, and no
    /// segment that starts with a dot; `openclaw.json` is refused. A file that exists is never
    /// overwritten. Default: none. A new file restarts the pod, because files are seeded when it
    /// starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 50))]
    pub initial_files: Option<BTreeMap<String, String>>,
    /// Directories below the workspace that are made when the pod starts. A path is relative, has
    /// at most 253 characters and no `..`. Default: none. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 253)))]
    pub initial_directories: Option<Vec<String>>,
    /// Workspaces of further agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub additional_workspaces: Option<Vec<AdditionalWorkspace>>,
    /// The file `BOOTSTRAP.md` that guides an agent through its first conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<BootstrapSpec>,
}

/// A ConfigMap in the namespace of the instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapRef {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1))]
    pub name: String,
}

/// The file `BOOTSTRAP.md`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BootstrapSpec {
    /// Whether `BOOTSTRAP.md` is put into a new workspace. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A workspace `~/.openclaw/workspace-<name>/` of a further agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalWorkspace {
    /// Name of the workspace: lower-case letters, digits and single hyphens. It must be unique in
    /// the list.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: String,
    /// A ConfigMap whose keys become files of this workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapRef>,
    /// Files by path below this workspace; the rules are those of `spec.workspace.initialFiles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 50))]
    pub initial_files: Option<BTreeMap<String, String>>,
    /// Directories below this workspace; the rules are those of
    /// `spec.workspace.initialDirectories`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 253)))]
    pub initial_directories: Option<Vec<String>>,
    /// Skills that are installed into this workspace alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), extend("x-kubernetes-list-type" = "set"))]
    pub skills: Option<Vec<String>>,
}

/// Tools that are installed next to the agent before it starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeDepsSpec {
    /// Whether pnpm is installed. Unset inherits `OpenClawClusterDefaults`, where the default is
    /// false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pnpm: Option<bool>,
    /// Whether Python and uv are installed. Unset inherits `OpenClawClusterDefaults`, where the
    /// default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<bool>,
    /// Image of the init containers that install Python.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of the init containers that install the tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// What happens to files of a skill pack that exist already.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum SkillPackUpdatePolicy {
    /// They are replaced when the pack changes.
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
