//! Files, directories, skill packs.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::empty_is_unset;

/// What the agent's workspace, `~/.openclaw/workspace`, begins with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceSpec {
    /// A ConfigMap whose keys become files of the workspace, 500 at most. Files of the same name in
    /// `initialFiles` win; a key that begins with a dot, or is `openclaw.json`, makes none. While it
    /// is missing, a first start waits, and an agent that runs keeps what it has. Has no default.
    /// A change, of its content too, takes effect when the next pod starts and replaces none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapRef>,
    /// Files by path below the workspace, for example `SOUL.md` or `tools/setup.sh`. At most 50,
    /// and with the files of `configMapRef` and of all other workspaces 1 MiB; no segment begins with
    /// a dot. Defaults to none. A change takes effect when the next pod starts, as
    /// `fileUpdatePolicy` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_files: Option<BTreeMap<String, String>>,
    /// Directories to make below the workspace, for example `notes/daily`. At most 20. Defaults to
    /// none. A change takes effect when the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_directories: Option<Vec<String>>,
    /// Workspaces of further agents, each in `~/.openclaw/workspace-<name>`. At most 10. Defaults
    /// to none. A change takes effect when the next pod starts; one that is taken out stays on the
    /// volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_workspaces: Option<Vec<AdditionalWorkspace>>,
    /// What happens to seeded files whose source changed. `CreateOnly` leaves them as they are;
    /// `Replace` writes them again, and removes those whose source is gone if the agent has not
    /// changed them. Defaults to `CreateOnly`. A change takes effect when the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "FileUpdatePolicy")]
    pub file_update_policy: Option<FileUpdatePolicy>,
    /// Files that follow another policy than `fileUpdatePolicy`. At most 50. Defaults to none. A
    /// change takes effect when the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_files: Option<Vec<ManagedFile>>,
    /// The introduction that a new agent gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<BootstrapSpec>,
}

/// A workspace of a further agent, in `~/.openclaw/workspace-<name>`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalWorkspace {
    /// Name of the workspace: lower-case letters, digits and single hyphens. At most 63 characters.
    /// Required. A change takes effect when the next pod starts; what is there stays.
    pub name: String,
    /// A ConfigMap whose keys become files of this workspace. Files of the same name in
    /// `initialFiles` win. Has no default. A change takes effect when the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapRef>,
    /// Files by path below this workspace, for example `SOUL.md`. At most 50; no segment begins
    /// with a dot. Defaults to none. A change takes effect when the next pod starts, as
    /// `fileUpdatePolicy` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_files: Option<BTreeMap<String, String>>,
    /// Directories to make below this workspace. At most 20. Defaults to none. A change takes effect
    /// when the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_directories: Option<Vec<String>>,
    /// What happens to seeded files of this workspace whose source changed. `CreateOnly` leaves them;
    /// `Replace` writes them again. Defaults to `spec.workspace.fileUpdatePolicy`. A change takes
    /// effect when the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "FileUpdatePolicy")]
    pub file_update_policy: Option<FileUpdatePolicy>,
    /// Files of this workspace that follow another policy. At most 50. Defaults to none. A change
    /// takes effect when the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_files: Option<Vec<ManagedFile>>,
    /// Skills to install for this workspace only. They are written as in `spec.skills`; programs of
    /// npm's are for all workspaces, and the files of a pack are for this one. At most 20. Defaults to none. A change replaces the pod; what is there stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skills: Option<Vec<String>>,
}

/// What happens to a seeded file whose source changed.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum FileUpdatePolicy {
    /// It stays as it is: from the moment it was written it is the agent's.
    #[default]
    CreateOnly,
    /// It is written again when its source changes; until then the agent's edits stay.
    Replace,
}

impl fmt::Display for FileUpdatePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateOnly => "CreateOnly",
            Self::Replace => "Replace",
        })
    }
}

/// A seeded file with a policy of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManagedFile {
    /// Path of the file below its workspace, for example `SOUL.md`. 1 to 253 characters, not
    /// beginning with `/`. Required. A change takes effect when the next pod starts.
    pub path: String,
    /// What happens to the file when its source changed. `CreateOnly` leaves it; `Replace` writes it
    /// again, and keeps the agent's edits until then. Defaults to `Replace`. A change takes effect when
    /// the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "FileUpdatePolicy")]
    pub update_policy: Option<FileUpdatePolicy>,
}

/// A ConfigMap in the instance's namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapRef {
    /// Name of the ConfigMap, in the instance's namespace. Required. A change takes effect when the
    /// next pod starts.
    pub name: String,
}

/// The introduction that a new agent gets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BootstrapSpec {
    /// Whether a new workspace begins with `BOOTSTRAP.md`. It is made once: not where anything else
    /// lies, and not beside `IDENTITY.md`, `SOUL.md` or `USER.md` of yours. Defaults to false;
    /// OpenClaw brings an introduction of its own. A change takes effect when the next pod starts.
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
