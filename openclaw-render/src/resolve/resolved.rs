//! [`Resolved`]: everything that rendering asks.

use std::collections::BTreeMap;

use super::{
    Alerts, AutoUpdate, Backup, BaseConfig, CaBundle, Choices, Chromium, Dashboards, EntryPoint,
    Environment, Extensions, Extras, Gateway, GatewayToken, HttpRoute, Image, Ingress, Logging,
    Means, Metrics, Netbird, NetworkPolicy, Ollama, Placement, Probes, Proxy, Replicas, Resources,
    Restore, Runtimes, Scaling, Security, SelfConfigure, Served, Service, SkillPacks, Storage,
    Tailscale, WebTerminal, Workspaces,
};
use crate::api::{OnOperatorUpgrade, OpenClawInstanceSpec};
use crate::maintenance::Windows;
use crate::power::Power;
use crate::vocab::names::InstanceName;

/// An instance whose every question is answered: defaults, ClusterDefaults, references, names,
/// versions. Only [`crate::resolve`] makes one, so rendering it cannot fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    pub(crate) name: InstanceName,
    pub(crate) namespace: String,
    pub(crate) uid: Option<String>,
    pub(crate) operator_namespace: String,
    pub(crate) image: Image,
    pub(crate) entry_point: EntryPoint,
    pub(crate) choices: Choices,
    /// Image of the init container that carries the helper.
    pub(crate) helper_image: String,
    pub(crate) config: BaseConfig,
    pub(crate) gateway: Gateway,
    pub(crate) control_ui_origins: Vec<String>,
    pub(crate) token: GatewayToken,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) workspaces: Workspaces,
    pub(crate) runtimes: Option<Runtimes>,
    pub(crate) extensions: Option<Extensions>,
    pub(crate) skill_packs: SkillPacks,
    pub(crate) chromium: Option<Chromium>,
    pub(crate) tailscale: Option<Tailscale>,
    pub(crate) netbird: Option<Netbird>,
    pub(crate) ollama: Option<Ollama>,
    pub(crate) web_terminal: Option<WebTerminal>,
    pub(crate) logging: Logging,
    pub(crate) environment: Environment,
    pub(crate) extras: Extras,
    pub(crate) resources: Resources,
    pub(crate) storage: Storage,
    pub(crate) security: Security,
    pub(crate) self_configure: Option<SelfConfigure>,
    pub(crate) ca_bundle: Option<CaBundle>,
    pub(crate) network_policy: Option<NetworkPolicy>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) alerts: Option<Alerts>,
    pub(crate) dashboards: Option<Dashboards>,
    pub(crate) service: Service,
    pub(crate) ingress: Option<Ingress>,
    pub(crate) http_route: Option<HttpRoute>,
    pub(crate) probes: Probes,
    pub(crate) placement: Placement,
    pub(crate) pod_annotations: BTreeMap<String, String>,
    pub(crate) share_process_namespace: bool,
    pub(crate) disruption_budget: Option<i32>,
    pub(crate) scaling: Option<Scaling>,
    pub(crate) backup: Option<Backup>,
    pub(crate) restore: Option<Restore>,
    pub(crate) power: Power,
    pub(crate) on_operator_upgrade: OnOperatorUpgrade,
    pub(crate) windows: Windows,
    pub(crate) auto_update: Option<AutoUpdate>,
    /// The spec after ClusterDefaults, for the hash of what users own.
    pub(crate) spec: OpenClawInstanceSpec,
}

impl Resolved {
    /// Returns the names of all claims that the pod mounts, that of the state first.
    pub(crate) fn claims(&self) -> Vec<&str> {
        let state = self.storage.volume.claim();
        let profile = self.chromium.as_ref().and_then(|chromium| chromium.profile.claim());
        let models = self.ollama.as_ref().and_then(|ollama| ollama.store.claim());
        state.into_iter().chain(profile).chain(models).collect()
    }

    /// Returns the hashes of what is read from Secrets and ConfigMaps of the user's only at a start,
    /// besides the agent's environment.
    pub(crate) fn further_inputs(&self) -> impl Iterator<Item = &str> {
        let chromium = self.chromium.as_ref().and_then(|chromium| chromium.inputs.as_deref());
        let bundle = self.ca_bundle.as_ref().and_then(|bundle| bundle.hash.as_deref());
        let extras = self.extras.environment_hash.as_deref();
        let tailscale = self.tailscale.as_ref().and_then(|tailscale| tailscale.inputs.as_deref());
        let terminal = self.web_terminal.as_ref().and_then(|terminal| terminal.inputs.as_deref());
        let netbird = self.netbird.as_ref().and_then(|netbird| netbird.inputs.as_deref());
        let all = [chromium, bundle, extras, tailscale, terminal, netbird];
        all.into_iter().flatten()
    }

    /// Returns what a HorizontalPodAutoscaler is told, if there is one.
    pub(crate) fn scaled(&self) -> Option<&Replicas> {
        match self.scaling.as_ref().filter(|_| self.power.is_on())? {
            Scaling::ByLoad(replicas) => Some(replicas),
            Scaling::OneWriter(_) => None,
        }
    }

    /// Returns the number of replicas, unless somebody else sets it.
    pub(crate) fn replicas(&self) -> Option<i32> {
        self.scaled().map_or(Some(self.power.replicas()), |replicas| replicas.set)
    }

    /// Returns what backups are made with, or a restore.
    pub(crate) fn means_of_backups(&self) -> Option<&Means> {
        let backup = self.backup.as_ref().and_then(|backup| backup.means.as_ref().ok());
        let restore = self.restore.as_ref().filter(|restore| restore.asked.is_some());
        backup.or_else(|| restore?.means.as_ref().ok())
    }

    /// How the agent's metrics are served, if they are.
    pub(crate) fn served_metrics(&self) -> Option<&Served> {
        self.metrics.as_ref().and_then(Metrics::served)
    }

    /// Name of the Secret that holds the gateway's token.
    pub(crate) fn token_secret(&self) -> String {
        match &self.token {
            GatewayToken::Made { .. } => self.name.gateway_token(),
            GatewayToken::Existing(name) => name.clone(),
        }
    }
}
