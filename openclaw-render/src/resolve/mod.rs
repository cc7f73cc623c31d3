//! From a raw spec and the observed world to [`Resolved`], or to all problems at once.
//!
//! Nobody reads the raw spec after this. Every default lives in [`defaults`] or beside the one
//! value that it belongs to, in this folder.

mod base_config;
pub(crate) mod defaults;
mod environment;
mod image;
mod metadata;
mod network;
mod pod;
mod resources;
mod security;
mod storage;
pub(crate) mod unsupported;
mod version;
mod workspace;

use std::collections::BTreeMap;

pub(crate) use base_config::{Auth, BaseConfig};
pub(crate) use environment::Environment;
pub(crate) use image::Image;
pub(crate) use network::{NetworkPolicy, Proxy, Service};
pub(crate) use pod::{Placement, Probes, Timing};
pub(crate) use resources::Resources;
pub(crate) use security::Security;
pub(crate) use storage::{DataVolume, Layout, Storage};
pub use version::Version;
pub(crate) use workspace::Workspace;

use crate::api::{MergeMode, OnOperatorUpgrade, OpenClawInstance, OpenClawInstanceSpec};
use crate::hash;
use crate::observed::{Fact, Observed};
use crate::problem::{Problem, Rule, Severity};
use crate::settings::Settings;
use crate::vocab::names::{InstanceName, TOKEN_KEY};

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
    /// Image of the init container that carries the helper.
    pub(crate) helper_image: String,
    pub(crate) config: BaseConfig,
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
    pub(crate) suspended: bool,
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
    let mut problems = Vec::new();
    let name = name(instance, &mut problems);
    let cluster_defaults = observed.cluster_defaults.known();
    let spec = defaults::merge(&instance.spec, cluster_defaults.map(|defaults| &defaults.spec));
    unsupported::check(instance, &spec, &mut problems);
    check_combinations(&spec, &mut problems);
    metadata::check(&spec, &mut problems);

    let image = image::resolve(&spec, &mut problems);
    let config = base_config::resolve(&spec, observed, &image, &mut problems);
    let token = token(&spec, &name, observed, config.auth, &mut problems);
    let environment = environment::resolve(&spec, observed, config.auth, &token, &mut problems);
    let resolved = Resolved {
        namespace: instance.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        uid: instance.metadata.uid.clone().filter(|uid| !uid.is_empty()),
        operator_namespace: settings.operator_namespace.clone(),
        helper_image: image::with_override(&spec, &settings.pod_image),
        image,
        config,
        control_ui_origins: network::control_ui_origins(&spec, &mut problems),
        token,
        proxy: network::proxy(&spec, &mut problems),
        workspace: workspace::resolve(&spec, &mut problems),
        environment,
        resources: resources::resolve(&spec, &mut problems),
        storage: storage::resolve(&name, &spec, observed, &mut problems),
        security: security::resolve(&name, &spec, &mut problems),
        network_policy: network::policy(&spec, &mut problems),
        service: network::service(&spec),
        probes: pod::probes(&spec, &mut problems),
        placement: pod::placement(&spec),
        pod_annotations: pod::annotations(&spec, &mut problems),
        share_process_namespace: spec.share_process_namespace.unwrap_or(false),
        disruption_budget: pod::disruption_budget(&spec, &mut problems),
        suspended: spec.suspended.unwrap_or(false),
        on_operator_upgrade: spec
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.on_operator_upgrade)
            .unwrap_or(settings.rollout_on_upgrade),
        name,
        spec,
    };
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

/// Rules about fields that exclude or need each other, also of features that are not rendered yet.
fn check_combinations(spec: &OpenClawInstanceSpec, problems: &mut Vec<Problem>) {
    let scaling = spec.availability.as_ref().and_then(|each| each.auto_scaling.as_ref());
    if spec.suspended == Some(true) && scaling.and_then(|each| each.enabled) == Some(true) {
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
