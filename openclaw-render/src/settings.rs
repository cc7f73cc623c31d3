//! [`Settings`]: what the operator was started with.

use serde::{Deserialize, Serialize};

use crate::api::OnOperatorUpgrade;
use crate::seed::pod_tag;
use crate::vocab::images::OPERATOR_REPOSITORY;

/// What holds for all instances, from flags of the operator or of the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// Namespace that the operator runs in: the only one that may ask config-sync for its state.
    /// Default `openclaw-operator-system`.
    pub operator_namespace: String,
    /// Image of the helper in agent pods. Its tag names what the helper does, not the operator's
    /// version, so that most upgrades of the operator leave it alone. The registry override applies
    /// to it.
    pub pod_image: String,
    /// Whether roll-outs that only the operator's own change calls for wait for approval, where
    /// `spec.rollout.onOperatorUpgrade` does not say. Default hold.
    pub rollout_on_upgrade: OnOperatorUpgrade,
    /// Owners and repositories, `owner` or `owner/repository`, that skill packs may come from. Default
    /// none, which means all.
    pub skill_pack_sources: Vec<String>,
    /// Namespaces whose agents may use the shared storage of backups, `*` for all. Default none.
    pub backup_share_with: Vec<String>,
    /// Secret in the operator's namespace that names that storage. Default `s3-backup-credentials`.
    pub backup_secret: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            operator_namespace: "openclaw-operator-system".to_owned(),
            pod_image: format!("{OPERATOR_REPOSITORY}:{}", pod_tag()),
            rollout_on_upgrade: OnOperatorUpgrade::Hold,
            skill_pack_sources: Vec::new(),
            backup_share_with: Vec::new(),
            backup_secret: "s3-backup-credentials".to_owned(),
        }
    }
}

impl Settings {
    /// Returns whether the agents of a namespace may use the shared storage of backups.
    #[must_use]
    pub fn shares_backups_with(&self, namespace: &str) -> bool {
        self.backup_share_with.iter().any(|listed| listed == "*" || listed == namespace)
    }
}
