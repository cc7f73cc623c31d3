//! What config-sync in the pod says of a configuration.

use openclaw_render::ConfigSync;
use openclaw_render::seed::content_hash;
use serde_json::json;

use super::World;
use crate::values::at;

impl World {
    /// What the pod says that is asked, if it is still there. Only a pod that has a config-sync
    /// answers, and only once it has started.
    pub(super) fn answer(&self) -> Option<ConfigSync> {
        let question = &self.asked.as_ref()?.question;
        let pod = self.get("Pod", &question.pod)?;
        let is_the_one = at(pod, "/metadata/uid") == question.uid.as_str();
        let ready = pod.pointer("/status/conditions/0/status") == Some(&json!("True"));
        let synced = at(pod, "/spec/initContainers").to_string().contains("config-sync");
        let config = self.get("ConfigMap", &format!("{}-config", self.instance))?;
        let content = at(config, "/data/openclaw.json").as_str()?;
        (is_the_one && ready && synced).then(|| self.judged(content))
    }

    /// What config-sync says of a configuration. The application refuses that of one colour, its
    /// disk is too full for that of another, and one key it has retired.
    fn judged(&self, content: &str) -> ConfigSync {
        let hash = Some(content_hash(content.as_bytes()));
        let last = self.live_instance().and_then(|live| {
            live.pointer("/status/config/appliedHash")?.as_str().map(ToOwned::to_owned)
        });
        if content.contains("\"embedSandbox\": \"blue\"") && !self.takes_every_configuration {
            let message = Some("rejected by the application: embedSandbox: not allowed".to_owned());
            let before = self.live_instance().and_then(|live| {
                serde_json::from_value(live.pointer("/status/config/migrated")?.clone()).ok()
            });
            ConfigSync {
                applied_hash: last,
                migrated: before.unwrap_or_default(),
                rejected_hash: hash,
                message,
                set_aside: None,
                free_bytes: None,
            }
        } else if content.contains("\"rotateBytes\"") {
            let migrated = vec!["removed session.maintenance.rotateBytes".to_owned()];
            ConfigSync { applied_hash: hash, migrated, ..ConfigSync::default() }
        } else if content.contains("\"embedSandbox\": \"red\"") {
            let message = Some("failed to write: No space left on device".to_owned());
            ConfigSync { applied_hash: last, message, ..ConfigSync::default() }
        } else {
            ConfigSync { applied_hash: hash, ..ConfigSync::default() }
        }
    }
}
