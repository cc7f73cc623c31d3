//! From a raw spec and the observed world to [`Resolved`], or to all problems at once.
//!
//! Nobody reads the raw spec after this. Every default lives in [`defaults`] or beside the one
//! value that it belongs to, in this folder.

mod address;
mod base_config;
mod choices;
pub(crate) mod defaults;
mod downgrade;
mod entry_point;
mod environment;
pub(crate) mod gateway;
mod image;
mod metadata;
mod network;
mod pod;
mod resources;
mod security;
mod storage;
mod trust;
pub(crate) mod unsupported;
mod version;
mod workspace;

use std::collections::BTreeMap;

pub(crate) use base_config::BaseConfig;
pub(crate) use choices::Choices;
pub use downgrade::refused_downgrade;
pub(crate) use entry_point::EntryPoint;
pub(crate) use environment::Environment;
pub(crate) use gateway::{Auth, Gateway};
pub(crate) use image::Image;
pub(crate) use network::{NetworkPolicy, Proxy, Service};
pub(crate) use pod::{Placement, Probes, Timing};
pub(crate) use resources::Resources;
pub(crate) use security::Security;
pub(crate) use storage::{DataVolume, Layout, Storage};
pub(crate) use trust::HeaderName;
pub use version::Version;
pub(crate) use workspace::Workspace;

/// The one field that takes any JSON.
pub(crate) const RAW: &str = "spec.config.raw";
/// What the API server takes as the contents of a ConfigMap; keys count here too.
const CONFIG_MAP_BYTES: usize = 1 << 20;

use crate::api::{MergeMode, OnOperatorUpgrade, OpenClawInstance, OpenClawInstanceSpec};
use crate::hash;
use crate::lifecycle::{Power, is_scaled_by_load};
use crate::nesting;
use crate::observed::{Fact, Observed};
use crate::problem::{Problem, Rule, Severity};
use crate::resource;
use crate::settings::Settings;
use crate::vocab::names::{InstanceName, TOKEN_KEY, is_label};

/// What [`resolve`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// Everything that rendering needs; `None` if any problem is an error.
    pub resolved: Option<Resolved>,
    /// Errors, things that will not start, and advice, sorted by severity and path.
    pub problems: Vec<Problem>,
}

/// An instance whose every question is answered: defaults, ClusterDefaults, references, names,
/// versions. Only [`resolve`] makes one, so rendering it cannot fail.
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
    pub(crate) workspace: Workspace,
    pub(crate) environment: Environment,
    pub(crate) resources: Resources,
    pub(crate) storage: Storage,
    pub(crate) security: Security,
    pub(crate) network_policy: Option<NetworkPolicy>,
    pub(crate) service: Service,
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

/// The Secret with the gateway's token.
#[derive(Clone, PartialEq)]
pub(crate) enum GatewayToken {
    /// Ours, made once.
    Own {
        /// Randomness for making it; nothing in previews.
        random: Option<String>,
        /// Hash of the token that it holds or will hold.
        hash: Option<String>,
    },
    /// The user's, by name.
    Existing(String),
}

/// A token is never printed.
impl std::fmt::Debug for GatewayToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Own { hash, .. } => {
                f.debug_struct("Own").field("hash", hash).finish_non_exhaustive()
            }
            Self::Existing(name) => f.debug_tuple("Existing").field(name).finish(),
        }
    }
}

impl Resolved {
    /// Name of the Secret that holds the gateway's token.
    pub(crate) fn token_secret(&self) -> String {
        match &self.token {
            GatewayToken::Own { .. } => self.name.gateway_token(),
            GatewayToken::Existing(name) => name.clone(),
        }
    }
}

/// Answers every question that rendering has.
///
/// # Assumptions
/// `observed` says what is known of the things that the spec refers to. What it does not mention
/// is unknown, which is advice here and never an error: see [`Fact`].
#[must_use]
pub fn resolve(
    instance: &OpenClawInstance,
    observed: &Observed,
    settings: &Settings,
) -> Resolution {
    if let Some(problem) = too_deep(&instance.spec) {
        return Resolution { resolved: None, problems: vec![problem] };
    }
    let mut problems = Vec::new();
    let name = name(instance, &mut problems);
    let namespace = namespace(instance, &mut problems);
    let cluster_defaults = observed.cluster_defaults.known();
    let spec = defaults::merge(&instance.spec, cluster_defaults.map(|defaults| &defaults.spec));
    unsupported::check(instance, &spec, &mut problems);
    check_combinations(&spec, &mut problems);
    metadata::check(&spec, &mut problems);

    let image = image::resolve(&spec, &mut problems);
    let choices = Choices::resolve(instance, image.told, &mut problems);
    let repository = image::repository(&spec);
    let entry_point = entry_point::resolve(repository, &image, &choices, &mut problems);
    let storage = storage::resolve(&name, &spec, observed, &mut problems);
    downgrade::check(instance, &image, &storage, &choices, observed, &mut problems);
    let config = base_config::resolve(&spec, observed, &image, &mut problems);
    let network_policy = network::policy(&spec, &mut problems);
    let gateway =
        gateway::resolve(&spec, &config, network_policy.as_ref(), image.version, &mut problems);
    let token = token(&spec, &name, observed, gateway.auth, &mut problems);
    let environment = environment::resolve(&spec, observed, gateway.auth, &token, &mut problems);
    let resolved = Resolved {
        namespace,
        uid: instance.metadata.uid.clone().filter(|uid| !uid.is_empty()),
        operator_namespace: settings.operator_namespace.clone(),
        helper_image: image::with_override(&spec, &settings.pod_image),
        image,
        entry_point,
        choices,
        config,
        gateway,
        control_ui_origins: network::control_ui_origins(&spec, &mut problems),
        token,
        proxy: network::proxy(&spec, &mut problems),
        workspace: workspace::resolve(&spec, &mut problems),
        environment,
        resources: resources::resolve(&spec, &mut problems),
        storage,
        security: security::resolve(&name, &spec, &mut problems),
        network_policy,
        service: network::service(&spec),
        probes: pod::probes(&spec, &mut problems),
        placement: pod::placement(&spec),
        pod_annotations: pod::annotations(&spec, &mut problems),
        share_process_namespace: spec.share_process_namespace.unwrap_or(false),
        disruption_budget: pod::disruption_budget(&spec, &mut problems),
        power: Power::asked(&spec),
        on_operator_upgrade: spec
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.on_operator_upgrade)
            .unwrap_or(settings.rollout_on_upgrade),
        name,
        spec,
    };
    check_sizes(&resolved, &mut problems);
    problems.sort_by(|left, right| {
        (left.severity, &left.path, &left.message).cmp(&(
            right.severity,
            &right.path,
            &right.message,
        ))
    });
    problems.dedup();
    let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
    Resolution { resolved: (!failed).then_some(resolved), problems }
}

/// A name that cannot be used is replaced for the rest of the checks; nothing is rendered then.
fn name(instance: &OpenClawInstance, problems: &mut Vec<Problem>) -> InstanceName {
    let given = instance.metadata.name.as_deref().unwrap_or_default();
    InstanceName::new(given).unwrap_or_else(|reason| {
        problems.push(Problem::error("metadata.name", Rule::Invalid, reason));
        InstanceName::placeholder()
    })
}

/// Other programs make folders of it, and a file that is previewed comes from anywhere.
fn namespace(instance: &OpenClawInstance, problems: &mut Vec<Problem>) -> String {
    let given = instance.metadata.namespace.as_deref().filter(|given| !given.is_empty());
    let namespace = given.unwrap_or("default");
    if !is_label(namespace) {
        problems.push(Problem::error(
            "metadata.namespace",
            Rule::Invalid,
            format!(
                "{namespace:?} cannot name a namespace: write at most 63 lower-case letters, \
                 digits and `-`, a letter or digit first and last"
            ),
        ));
    }
    namespace.to_owned()
}

/// A configuration so deep that nothing else may be done with the spec: copying it is a risk.
pub(crate) fn too_deep(spec: &OpenClawInstanceSpec) -> Option<Problem> {
    let raw = spec.config.as_ref()?.raw.as_ref()?;
    nesting::is_too_deep(raw).then(|| Problem::error(RAW, Rule::Invalid, nesting::too_deep()))
}

/// What no ConfigMap can hold would be refused again and again.
fn check_sizes(resolved: &Resolved, problems: &mut Vec<Problem>) {
    let reference = resolved.spec.config.as_ref().and_then(|each| each.config_map_ref.as_ref());
    let config = if reference.is_some() { "spec.config.configMapRef" } else { RAW };
    let remedies = [
        (
            config,
            "openclaw.json is written with indentation, so keep it flat and large texts out of it",
        ),
        ("spec.workspace", "put large or many files into the image or a volume"),
    ];
    for ((path, remedy), map) in remedies.into_iter().zip(resource::config_maps(resolved)) {
        let entries = map.data.iter().flatten();
        let bytes: usize = entries.map(|(key, content)| key.len() + content.len()).sum();
        if bytes > CONFIG_MAP_BYTES {
            problems.push(Problem::error(
                path,
                Rule::Invalid,
                format!("makes a ConfigMap of {bytes} bytes, and {CONFIG_MAP_BYTES} are allowed: {remedy}"),
            ));
        }
    }
}

fn token(
    spec: &OpenClawInstanceSpec,
    name: &InstanceName,
    observed: &Observed,
    auth: Auth,
    problems: &mut Vec<Problem>,
) -> GatewayToken {
    let gateway = spec.gateway.as_ref();
    let existing = defaults::text(gateway.and_then(|gateway| gateway.existing_secret.as_ref()));
    if let Some(existing) = existing {
        if !security::is_subdomain(existing) {
            problems.push(Problem::error(
                "spec.gateway.existingSecret",
                Rule::Invalid,
                format!("{existing:?} is not the name of a Secret"),
            ));
        }
        return GatewayToken::Existing(existing.to_owned());
    }
    let own = name.gateway_token();
    let keys = observed.secrets.get(&own).and_then(Fact::known);
    if auth == Auth::SecretToken && keys.is_some_and(|keys| !keys.contains_key(TOKEN_KEY)) {
        problems.push(Problem {
            rule: Rule::Missing,
            ..Problem::will_not_start(
                "spec.gateway",
                format!(
                    "Secret {own:?} has no key {TOKEN_KEY:?}: add one, or delete the Secret and \
                     the operator makes another"
                ),
            )
        });
    }
    // The Secret that is about to be made already counts with the value that it will have:
    // otherwise its appearance would replace the first pod.
    let hash = match keys {
        Some(keys) => keys.get(TOKEN_KEY).cloned(),
        None => observed.random_token.as_deref().map(hash::of),
    };
    GatewayToken::Own { random: observed.random_token.clone(), hash }
}

fn check_replicas(spec: &OpenClawInstanceSpec, problems: &mut Vec<Problem>) {
    match spec.replicas {
        Some(0) if is_scaled_by_load(spec) => problems.push(Problem::advice(
            "spec.replicas",
            Rule::Ineffective,
            "has no effect beside `spec.availability.autoScaling`: use `spec.suspended` to switch \
             the agent off",
        )),
        None | Some(0 | 1) => {}
        Some(other) => problems.push(Problem::error(
            "spec.replicas",
            Rule::Invalid,
            format!("{other} is neither 0 nor 1: an agent is one pod, or off"),
        )),
    }
}

/// Rules about fields that exclude or need each other, also of features that are not rendered yet.
fn check_combinations(spec: &OpenClawInstanceSpec, problems: &mut Vec<Problem>) {
    let scaling = spec.availability.as_ref().and_then(|each| each.auto_scaling.as_ref());
    check_replicas(spec, problems);
    if spec.suspended == Some(true) && is_scaled_by_load(spec) {
        problems.push(Problem::error(
            "spec.suspended",
            Rule::Invalid,
            "excludes `spec.availability.autoScaling`: turn one of the two off",
        ));
    }
    let bounds = scaling.map(|each| (each.min_replicas, each.max_replicas));
    if let Some((Some(min), Some(max))) = bounds
        && min > max
    {
        problems.push(Problem::error(
            "spec.availability.autoScaling.minReplicas",
            Rule::Invalid,
            format!("{min} is more than maxReplicas {max}"),
        ));
    }
    if let Some(bundle) = spec.security.as_ref().and_then(|each| each.ca_bundle.as_ref()) {
        let names = [&bundle.config_map_name, &bundle.secret_name];
        if names.iter().filter(|name| defaults::text(name.as_ref()).is_some()).count() != 1 {
            problems.push(Problem::error(
                "spec.security.caBundle",
                Rule::Invalid,
                "must have exactly one of `configMapName` and `secretName`",
            ));
        }
    }
    let config = spec.config.as_ref();
    let force_paths = config.and_then(|each| each.force_paths.as_deref()).unwrap_or_default();
    let merges = config.and_then(|each| each.merge_mode) == Some(MergeMode::Merge);
    if !force_paths.is_empty() && !merges {
        problems.push(Problem::error(
            "spec.config.forcePaths",
            Rule::Invalid,
            "needs `spec.config.mergeMode: merge`: overwrite mode forces every path",
        ));
    }
    for (index, path) in force_paths.iter().enumerate() {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if !path.split('.').all(|key| !key.is_empty() && key.bytes().all(word)) {
            problems.push(Problem::error(
                format!("spec.config.forcePaths[{index}]"),
                Rule::Invalid,
                format!("{path:?} is no path: write keys with dots between them"),
            ));
        }
    }
}
