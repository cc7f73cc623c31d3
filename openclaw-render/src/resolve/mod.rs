//! From a raw spec and the observed world to [`Resolved`], or to all problems at once.
//!
//! Nobody reads the raw spec after this. Every default lives in this folder, beside the value that
//! it belongs to.

mod address;
mod affinity;
mod alerts;
mod auto_update;
mod availability;
mod backup;
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
mod http_route;
mod image;
mod ingress;
mod join_key;
mod logging;
mod maintenance;
mod metadata;
pub(crate) mod metrics;
mod netbird;
mod network_policy;
mod ollama;
mod open_doors;
mod outward;
mod placement;
mod probes;
mod process_namespace;
mod provider_key;
mod replicas;
mod resolved;
mod resources;
mod restore;
mod runtimes;
mod security;
mod selectors;
mod self_configure;
mod service;
mod shared_storage;
mod skill_packs;
mod sources;
mod spellings;
mod storage;
mod stored_defaults;
mod tailscale;
mod token;
mod trust;
pub(crate) mod unsupported;
mod walk;
mod web_terminal;
mod workspace;

use std::collections::BTreeSet;

pub(crate) use alerts::Alerts;
pub(crate) use auto_update::{AutoUpdate, Guard};
pub(crate) use backup::{Backup, Lack, Means, TIMEOUT_SECONDS as BACKUP_TIMEOUT_SECONDS};
pub(crate) use base_config::BaseConfig;
pub(crate) use basic_auth::{BasicAuth, SecretForm};
pub(crate) use ca_bundle::{BundleSource, CaBundle};
pub(crate) use choices::Choices;
pub(crate) use chromium::{Chromium, Profile};
use context::Resolving;
pub(crate) use dashboards::Dashboards;
pub use downgrade::refused_downgrade;
pub(crate) use entry_point::EntryPoint;
pub(crate) use environment::Environment;
pub(crate) use extensions::{Extensions, skill_source};
pub(crate) use extras::Extras;
pub(crate) use gateway::{Auth, Gateway, Proxy};
pub(crate) use http_route::{HttpRoute, RouteParent};
pub(crate) use image::Image;
pub(crate) use ingress::{Ingress, IngressGuard, IngressRule, IngressWay, Standing};
pub(crate) use logging::{LEVELS, Logging, STYLES};
pub(crate) use metrics::{Metrics, Scrapers, Served};
pub(crate) use netbird::Netbird;
pub(crate) use network_policy::NetworkPolicy;
pub(crate) use ollama::{FETCH_SECONDS, ModelStore, Ollama};
pub(crate) use placement::Placement;
pub(crate) use probes::{Probes, Timing};
pub(crate) use replicas::{Replicas, Scaling};
pub use resolved::Resolved;
pub(crate) use resources::Resources;
pub(crate) use restore::Restore;
pub(crate) use runtimes::Runtimes;
pub(crate) use security::Security;
pub(crate) use self_configure::SelfConfigure;
pub(crate) use service::{ChosenPort, Service};
pub(crate) use shared_storage::Permission;
pub(crate) use skill_packs::{SkillPacks, check_file as check_pack_file, content as pack_content};
pub(crate) use storage::{DataVolume, Layout, Storage};
pub(crate) use tailscale::Tailscale;
pub(crate) use token::GatewayToken;
pub(crate) use trust::HeaderName;
pub(crate) use web_terminal::WebTerminal;
pub(crate) use workspace::{Workspace, Workspaces, check_file as check_workspace_file};

use crate::api::ConditionType::{
    BackupReady, ConfigValid, NetworkPolicyReady, RestoreComplete, SecretsReady, StorageReady,
};
use crate::api::{OpenClawInstance, OpenClawInstanceSpec};
use crate::nesting;
use crate::object::{Kind, ObjectKey};
use crate::observed::Observed;
use crate::problem::{Problem, Rule};
use crate::settings::Settings;
use crate::vocab::DEFAULT_NAMESPACE;
use crate::vocab::grammar::is_label;
use crate::vocab::names::InstanceName;

/// The one field that takes any JSON.
pub(crate) const RAW: &str = "spec.config.raw";

/// What was found: the instance, if there was anything to look at, problems, and references.
pub(crate) type Found = (Option<Resolved>, Vec<Problem>, BTreeSet<ObjectKey>);

/// Answers every question that rendering has, as far as that can be known before anything is
/// rendered. An instance with errors is answered for, too: nothing must be rendered of it.
pub(crate) fn answers(
    instance: &OpenClawInstance,
    observed: &Observed,
    settings: &Settings,
) -> Found {
    let uid = instance.metadata.uid.as_deref().filter(|uid| !uid.is_empty());
    let namespace = given_namespace(instance);
    let mut cx = Resolving::new(observed, settings, namespace, uid);
    let name = name(instance, &mut cx);
    if let Some(problem) = too_deep(&instance.spec) {
        let (_, references) = cx.finish();
        return (None, vec![problem], references);
    }
    let cluster_defaults = observed.cluster_defaults.known();
    let mut spec = defaults::merge(&instance.spec, cluster_defaults.map(|defaults| &defaults.spec));
    auto_update::apply(instance, &mut spec);
    let resolved = resolve_merged(instance, spec, name, &mut cx);
    let (problems, references) = cx.finish();
    (Some(resolved), problems, references)
}

/// Looks at what is right or wrong by itself.
fn check(instance: &OpenClawInstance, merged: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    for problem in bounds::problems(&instance.spec) {
        cx.about(problem.about, |cx| cx.push(problem));
    }
    stored_defaults::check(instance, cx);
    unsupported::check(merged, cx);
    availability::check(merged, cx);
    base_config::check_force_paths(merged, cx);
    metadata::check(&instance.metadata, merged, cx);
}

fn resolve_merged(
    instance: &OpenClawInstance,
    spec: OpenClawInstanceSpec,
    name: InstanceName,
    cx: &mut Resolving<'_>,
) -> Resolved {
    check(instance, &spec, cx);
    let image = image::resolve(&spec, cx);
    let choices = Choices::resolve(instance, image.told, cx);
    let entry_point = entry_point::resolve(image::repository(&spec), &image, &choices, cx);
    let storage = cx.about(StorageReady, |cx| storage::resolve(&name, instance, &spec, cx));
    let config = cx.about(ConfigValid, |cx| base_config::resolve(&spec, &image, cx));
    let network_policy = cx.about(NetworkPolicyReady, |cx| network_policy::resolve(&spec, cx));
    let gateway = cx.about(ConfigValid, |cx| {
        gateway::resolve(&spec, &config, network_policy.as_ref(), image.version, cx)
    });
    let metrics = metrics::resolve(instance, &spec, &config.document, image.version, cx);
    let served = metrics.as_ref().and_then(Metrics::served);
    let extras = extras::resolve(&spec, served, cx);
    let web_terminal = web_terminal::resolve(&spec, cx);
    let service = service::resolve(&spec, served, web_terminal.as_ref(), cx);
    let namespace = namespace(cx);
    let ingress = ingress::resolve(&name, &namespace, &spec, &service, network_policy.as_ref(), cx);
    let http_route = http_route::resolve(&spec, &service, network_policy.as_ref(), cx);
    let token = cx.about(SecretsReady, |cx| token::resolve(&spec, &name, gateway.auth, cx));
    check_config(&spec, &config, network_policy.as_ref(), cx);
    let environment = environment::resolve(&spec, gateway.auth, &token, cx);
    let chromium = chromium::resolve(&name, &spec, cx);
    let tailscale = tailscale::resolve(&name, &spec, cx);
    let netbird = netbird::resolve(&name, &spec, network_policy.as_ref(), cx);
    let ollama = ollama::resolve(&spec, &environment, network_policy.as_ref(), cx);
    let profile = chromium.as_ref().and_then(|chromium| chromium.profile.claim());
    let models = ollama.as_ref().and_then(|ollama| ollama.store.claim());
    let shared = [
        ("the profile of the browser", profile.is_some()),
        ("the claim of the models", models.is_some()),
        ("the identity in the tailnet", tailscale.is_some()),
        ("the identity in the NetBird network", netbird.is_some()),
    ];
    let scaling = replicas::resolve(&name, &spec, &storage, &shared, cx);
    let backup = cx.about(BackupReady, |cx| backup::resolve(&spec, &storage, &environment, cx));
    let restore = cx.about(RestoreComplete, |cx| {
        restore::resolve(&name, instance, &spec, &storage, &environment, backup.as_ref(), cx)
    });
    let power = restore::power(&spec, restore.as_ref());
    downgrade::check(instance, &image, &storage, &choices, power, cx);
    let auto_update = auto_update::resolve(&name, instance, &spec, &storage, backup.as_ref(), cx);
    let workspaces = workspace::resolve(instance, &spec, cx);
    let had = extensions::Had::of(instance, &storage);
    let uid = instance.metadata.uid.as_deref().filter(|uid| !uid.is_empty());
    Resolved {
        namespace,
        uid: uid.map(str::to_owned),
        operator_namespace: cx.settings.operator_namespace.clone(),
        helper_image: image::with_override(&spec, &cx.settings.pod_image),
        probes: probes::resolve(&spec, &image, cx),
        image,
        entry_point,
        choices,
        control_ui_origins: gateway::control_ui_origins(&spec, &config.document, cx),
        logging: logging::resolve(instance, &spec, &config, cx),
        config,
        gateway,
        token,
        proxy: gateway::proxy(&spec, cx),
        skill_packs: skill_packs::resolve(&name, uid, &spec, &workspaces, cx),
        workspaces,
        runtimes: runtimes::resolve(&spec, &environment, network_policy.as_ref(), cx),
        extensions: extensions::resolve(&spec, had, &environment, network_policy.as_ref(), cx),
        chromium,
        tailscale,
        netbird,
        ollama,
        web_terminal,
        environment,
        extras,
        resources: resources::resolve(&spec, cx),
        storage,
        security: security::resolve(&name, &spec, served, cx),
        self_configure: self_configure::resolve(&spec, cx),
        ca_bundle: ca_bundle::resolve(&spec, cx),
        network_policy,
        metrics,
        alerts: alerts::resolve(instance, &spec, cx),
        dashboards: dashboards::resolve(&spec, cx),
        service,
        ingress,
        http_route,
        placement: placement::resolve(&spec, cx),
        pod_annotations: metadata::pod_annotations(&spec, cx),
        share_process_namespace: process_namespace::resolve(&spec, cx),
        disruption_budget: disruption_budget::resolve(&spec, cx),
        scaling,
        backup,
        restore,
        power,
        on_operator_upgrade: spec
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.on_operator_upgrade)
            .unwrap_or(cx.settings.rollout_on_upgrade),
        windows: maintenance::resolve(&spec, cx),
        auto_update,
        name,
        spec,
    }
}

/// Looks at what openclaw.json needs besides itself.
fn check_config(
    spec: &OpenClawInstanceSpec,
    config: &BaseConfig,
    policy: Option<&NetworkPolicy>,
    cx: &mut Resolving<'_>,
) {
    provider_key::check(spec, &config.document, cx);
    outward::check(config, policy, cx);
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

fn given_namespace(instance: &OpenClawInstance) -> &str {
    let given = instance.metadata.namespace.as_deref().filter(|given| !given.is_empty());
    given.unwrap_or(DEFAULT_NAMESPACE)
}

/// Checked because other programs use it as a directory name, and previewed files are untrusted.
fn namespace(cx: &mut Resolving<'_>) -> String {
    let namespace = cx.namespace;
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
