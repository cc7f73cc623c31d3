//! Annotation keys that we set or read.

/// On a ConfigMap with a dashboard: the folder in Grafana.
pub const DASHBOARD_FOLDER: &str = "grafana_folder";

/// On the instance, exactly `true`: nothing is written until it is removed.
pub const PAUSED: &str = "openclaw.rocks/paused";

/// On the instance: the hash of the held roll-out that may go on, as `RolloutPending` names it.
pub const APPROVE_ROLLOUT: &str = "openclaw.rocks/approve-rollout";

/// On the instance, with [`ENTRYPOINT_IMAGE`]: who starts the gateway.
pub const ENTRYPOINT: &str = "openclaw.rocks/entrypoint";

/// Value of [`ENTRYPOINT`]: the image's own entry point, not our helper.
pub const ENTRYPOINT_IMAGE: &str = "image";

/// On the instance: the one version that may run although a newer one last ran on the volume.
pub const ALLOW_DOWNGRADE: &str = "openclaw.rocks/allow-downgrade";

/// On the instance, by requests of its agent: a hash of what they own of the spec. Another hash means
/// that somebody else has changed it.
pub const SELF_CONFIG: &str = "openclaw.rocks/self-config";

/// On a claim: how the volume is laid out, [`LAYOUT_HOME`]; absent means flat.
pub const LAYOUT: &str = "openclaw.rocks/layout";

/// Value of [`LAYOUT`] for volumes that we made: the directory `home` is the agent's HOME.
pub const LAYOUT_HOME: &str = "home";

/// On the StatefulSet: what users own and what can reach the pod, as a hash.
pub const INPUTS_HASH: &str = "openclaw.rocks/inputs-hash";

/// On the StatefulSet: the pod that was last rolled out, as a hash of all that it depends on.
pub const ROLLOUT_HASH: &str = "openclaw.rocks/rollout-hash";

/// On the StatefulSet: what its pod was last replaced for, if that concerns many agents.
pub const ROLLOUT_CAUSE: &str = "openclaw.rocks/rollout-cause";

/// On an object, with [`STANDS_BESIDE`]: where it stands to the pod, said of kinds of which others
/// belong to the pod.
pub const STANDS: &str = "openclaw.rocks/stands";

/// Value of [`STANDS`]: nothing of the pod depends on the object.
pub const STANDS_BESIDE: &str = "beside";

/// What is kept of an object's annotations: what a later pass asks for.
pub const OF_OBJECTS: &[&str] = &[INPUTS_HASH, ROLLOUT_HASH, ROLLOUT_CAUSE, STANDS];

/// On the pod template: contents of the Secrets and ConfigMaps in the agent's environment.
pub const SECRET_HASH: &str = "openclaw.rocks/secret-hash";

/// On the pod template: the bytes of nginx.conf, which nginx does not load again by itself.
pub const PROXY_HASH: &str = "openclaw.rocks/proxy-hash";

/// On the pod template: the bytes of the collector's configuration, which it does not load again.
pub const COLLECTOR_HASH: &str = "openclaw.rocks/collector-hash";

/// On the pod, not its template: the configuration that the operator wrote last. Changing it makes
/// the kubelet refresh the mounted ConfigMap at once instead of within its sync period.
pub const RENDERED_CONFIG: &str = "openclaw.rocks/rendered-config";

/// On the data claim: selects the claim for backup tools that the Go operator's users set up.
pub const BACKUP_ENABLED: &str = "openclaw.rocks/backup-enabled";

/// On the instance, `true`: it is deleted without a last backup, and its volume goes with it if the
/// spec says so. Counts at any time until the instance is gone.
pub const SKIP_BACKUP: &str = "openclaw.rocks/skip-backup";

/// On a Namespace, by the cluster's admin: what its agents may restore from the shared storage besides
/// their own backups. Paths as in `spec.restoreFrom`, separated by commas or spaces; each stands for
/// everything below it, `*` for everything.
pub const RESTORE_FROM: &str = "openclaw.rocks/restore-from";

/// What is kept of a Namespace's annotations.
pub const OF_NAMESPACES: &[&str] = &[RESTORE_FROM];

/// Prefix of keys that `spec.podAnnotations` cannot set: they are ours.
pub const PREFIX: &str = "openclaw.rocks/";
