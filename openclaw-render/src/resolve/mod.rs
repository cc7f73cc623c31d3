//! From a raw spec and the observed world to [`Resolved`], or to all problems at once.
//!
//! Nobody reads the raw spec after this. Every default lives in this folder, beside the value that
//! it belongs to.

mod address;
mod alerts;
mod availability;
mod base_config;
mod basic_auth;
pub(crate) mod bounds;
mod ca_bundle;
mod choices;
mod chromium;
mod context;
mod dashboards;
pub(crate) mod defaults;
mod disruption_budget;
mod downgrade;
mod entry_point;
mod environment;
mod eras;
mod extensions;
mod external_files;
mod extras;
pub(crate) mod gateway;
mod image;
mod ingress;
mod logging;
mod metadata;
pub(crate) mod metrics;
mod network_policy;
mod placement;
mod probes;
mod provider_key;
mod resources;
mod runtimes;
mod security;
mod self_configure;
mod service;
mod storage;
mod stored_defaults;
mod tailscale;
mod token;
mod trust;
pub(crate) mod unsupported;
mod walk;
mod web_terminal;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use alerts::Alerts;
pub(crate) use base_config::BaseConfig;
pub(crate) use basic_auth::BasicAuth;
pub(crate) use ca_bundle::{BundleSource, CaBundle};
pub(crate) use choices::Choices;
pub(crate) use chromium::{Chromium, Profile};
use context::Resolving;
pub(crate) use dashboards::Dashboards;
pub use downgrade::refused_downgrade;
pub(crate) use entry_point::EntryPoint;
pub(crate) use environment::Environment;
pub(crate) use extensions::Extensions;
pub(crate) use extras::Extras;
pub(crate) use gateway::{Auth, Gateway, Proxy};
pub(crate) use image::Image;
pub(crate) use ingress::{Ingress, IngressRule, IngressWay};
pub(crate) use logging::Logging;
pub(crate) use metrics::{Metrics, Scrapers, Served};
pub(crate) use network_policy::NetworkPolicy;
pub(crate) use placement::Placement;
pub(crate) use probes::{Probes, Timing};
pub(crate) use resources::Resources;
pub(crate) use runtimes::Runtimes;
pub(crate) use security::Security;
pub(crate) use self_configure::SelfConfigure;
pub(crate) use service::{ChosenPort, Service};
pub(crate) use storage::{DataVolume, Layout, Storage};
pub(crate) use tailscale::Tailscale;
pub(crate) use token::GatewayToken;
pub(crate) use trust::HeaderName;
pub(crate) use web_terminal::WebTerminal;
pub(crate) use workspace::{Workspace, Workspaces};

use crate::api::ConditionType::{ConfigValid, NetworkPolicyReady, SecretsReady, StorageReady};
use crate::api::{OnOperatorUpgrade, OpenClawInstance, OpenClawInstanceSpec};
use crate::nesting;
use crate::object::{Kind, ObjectKey};
use crate::observed::Observed;
use crate::power::Power;
use crate::problem::{Problem, Rule};
use crate::settings::Settings;
use crate::vocab::DEFAULT_NAMESPACE;
use crate::vocab::grammar::is_label;
use crate::vocab::names::InstanceName;

/// The one field that takes any JSON.
pub(crate) const RAW: &str = "spec.config.raw";

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
    pub(crate) chromium: Option<Chromium>,
    pub(crate) tailscale: Option<Tailscale>,
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
    pub(crate) probes: Probes,
    pub(crate) placement: Placement,
    pub(crate) pod_annotations: BTreeMap<String, String>,
    pub(crate) share_process_namespace: bool,
    pub(crate) disruption_budget: Option<i32>,
    pub(crate) power: Power,
    pub(crate) on_operator_upgrade: OnOperatorUpgrade,
    /// The spec after ClusterDefaults, for the hash of what users own.
    pub(crate) spec: OpenClawInstanceSpec,
}

impl Resolved {
    /// Returns the names of all claims that the pod mounts, that of the state first.
    pub(crate) fn claims(&self) -> Vec<&str> {
        let state = match &self.storage.volume {
            DataVolume::Made { claim, .. } | DataVolume::Existing(claim) => Some(claim.as_str()),
            DataVolume::Ephemeral(_) => None,
        };
        let profile = self.chromium.as_ref().and_then(|chromium| chromium.profile.claim());
        state.into_iter().chain(profile).collect()
    }

    /// Returns the hashes of what is read from Secrets and ConfigMaps of the user's only at a start,
    /// besides the agent's environment.
    pub(crate) fn further_inputs(&self) -> impl Iterator<Item = &str> {
        let chromium = self.chromium.as_ref().and_then(|chromium| chromium.inputs.as_deref());
        let bundle = self.ca_bundle.as_ref().and_then(|bundle| bundle.hash.as_deref());
        let extras = self.extras.environment_hash.as_deref();
        let tailscale = self.tailscale.as_ref().and_then(|tailscale| tailscale.inputs.as_deref());
        let terminal = self.web_terminal.as_ref().and_then(|terminal| terminal.inputs.as_deref());
        chromium.into_iter().chain(bundle).chain(extras).chain(tailscale).chain(terminal)
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

/// What was found: the instance, if there was anything to look at, problems, and references.
pub(crate) type Found = (Option<Resolved>, Vec<Problem>, BTreeSet<ObjectKey>);

/// Answers every question that rendering has, as far as that can be known before anything is
/// rendered. An instance with errors is answered for, too: nothing must be rendered of it.
pub(crate) fn answers(
    instance: &OpenClawInstance,
    observed: &Observed,
    settings: &Settings,
) -> Found {
    let mut cx = Resolving::new(observed, settings);
    let name = name(instance, &mut cx);
    if let Some(problem) = too_deep(&instance.spec) {
        let (_, references) = cx.finish();
        return (None, vec![problem], references);
    }
    let cluster_defaults = observed.cluster_defaults.known();
    let spec = defaults::merge(&instance.spec, cluster_defaults.map(|defaults| &defaults.spec));
    let resolved = resolve_merged(instance, spec, name, &mut cx);
    let (problems, references) = cx.finish();
    (Some(resolved), problems, references)
}

fn resolve_merged(
    instance: &OpenClawInstance,
    spec: OpenClawInstanceSpec,
    name: InstanceName,
    cx: &mut Resolving<'_>,
) -> Resolved {
    for problem in bounds::problems(&instance.spec) {
        cx.about(problem.about, |cx| cx.push(problem));
    }
    stored_defaults::check(instance, cx);
    unsupported::check(&spec, cx);
    availability::check(&spec, cx);
    base_config::check_force_paths(&spec, cx);
    metadata::check(&spec, cx);

    let image = image::resolve(&spec, cx);
    let choices = Choices::resolve(instance, image.told, cx);
    let entry_point = entry_point::resolve(image::repository(&spec), &image, &choices, cx);
    let storage = cx.about(StorageReady, |cx| storage::resolve(&name, &spec, cx));
    downgrade::check(instance, &image, &storage, &choices, cx);
    let config = cx.about(ConfigValid, |cx| base_config::resolve(&spec, &image, cx));
    let network_policy = cx.about(NetworkPolicyReady, |cx| network_policy::resolve(&spec, cx));
    let gateway = cx.about(ConfigValid, |cx| {
        gateway::resolve(&spec, &config, network_policy.as_ref(), image.version, cx)
    });
    let metrics = metrics::resolve(instance, &spec, &config.document, image.version, cx);
    let served = metrics.as_ref().and_then(Metrics::served);
    let extras = extras::resolve(&spec, served.map(|served| served.port), cx);
    let web_terminal = web_terminal::resolve(&spec, cx);
    let service = service::resolve(&spec, served, web_terminal.as_ref(), cx);
    let ingress = ingress::resolve(&name, &spec, &service, network_policy.as_ref(), cx);
    let token = cx.about(SecretsReady, |cx| token::resolve(&spec, &name, gateway.auth, cx));
    provider_key::check(&spec, &config.document, &config.path, cx);
    let environment = environment::resolve(&spec, gateway.auth, &token, cx);
    Resolved {
        namespace: namespace(instance, cx),
        uid: instance.metadata.uid.clone().filter(|uid| !uid.is_empty()),
        operator_namespace: cx.settings.operator_namespace.clone(),
        helper_image: image::with_override(&spec, &cx.settings.pod_image),
        image,
        entry_point,
        choices,
        control_ui_origins: gateway::control_ui_origins(&spec, &config.document, cx),
        config,
        gateway,
        token,
        proxy: gateway::proxy(&spec, cx),
        workspaces: workspace::resolve(instance, &spec, cx),
        runtimes: runtimes::resolve(&spec, &environment, network_policy.as_ref(), cx),
        extensions: extensions::resolve(&spec, &environment, network_policy.as_ref(), cx),
        chromium: chromium::resolve(&name, &spec, cx),
        tailscale: tailscale::resolve(&name, &spec, cx),
        web_terminal,
        logging: logging::resolve(instance, &spec),
        environment,
        extras,
        resources: resources::resolve(&spec, cx),
        storage,
        security: security::resolve(&name, &spec, cx),
        self_configure: self_configure::resolve(&spec, cx),
        ca_bundle: ca_bundle::resolve(&spec, cx),
        network_policy,
        metrics,
        alerts: alerts::resolve(instance, &spec, cx),
        dashboards: dashboards::resolve(&spec, cx),
        service,
        ingress,
        probes: probes::resolve(&spec, cx),
        placement: placement::resolve(&spec),
        pod_annotations: metadata::pod_annotations(&spec, cx),
        share_process_namespace: spec.share_process_namespace.unwrap_or(false),
        disruption_budget: disruption_budget::resolve(&spec, cx),
        power: Power::asked(&spec),
        on_operator_upgrade: spec
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.on_operator_upgrade)
            .unwrap_or(cx.settings.rollout_on_upgrade),
        name,
        spec,
    }
}

/// Returns the instance's name. One that cannot be used is replaced for the rest of the checks;
/// nothing is rendered then.
fn name(instance: &OpenClawInstance, cx: &mut Resolving<'_>) -> InstanceName {
    match InstanceName::new(instance.metadata.name.as_deref().unwrap_or_default()) {
        Ok(name) => {
            // What an earlier spec made is looked at, even if this one uses something else.
            cx.refer(Kind::PersistentVolumeClaim, &name.data());
            cx.refer(Kind::Secret, &name.gateway_token());
            name
        }
        Err(reason) => {
            cx.error("metadata.name", reason);
            InstanceName::placeholder()
        }
    }
}

/// Checked because other programs use it as a directory name, and previewed files are untrusted.
fn namespace(instance: &OpenClawInstance, cx: &mut Resolving<'_>) -> String {
    let given = instance.metadata.namespace.as_deref().filter(|given| !given.is_empty());
    let namespace = given.unwrap_or(DEFAULT_NAMESPACE);
    if !is_label(namespace) {
        cx.error(
            "metadata.namespace",
            format!(
                "{namespace:?} cannot name a namespace: write at most 63 lower-case letters, \
                 digits and `-`, a letter or digit first and last"
            ),
        );
    }
    namespace.to_owned()
}

/// A configuration too deeply nested to be copied safely, so that no other check is made.
fn too_deep(spec: &OpenClawInstanceSpec) -> Option<Problem> {
    let raw = spec.config.as_ref()?.raw.as_ref()?;
    let problem = || Problem::error(RAW, Rule::Invalid, nesting::too_deep()).about(ConfigValid);
    nesting::is_too_deep(raw).then(problem)
}
