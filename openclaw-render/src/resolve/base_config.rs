//! The user's openclaw.json: where it comes from, whether it can be read, and how it meets the file
//! on the volume.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::context::{Reference, Resolving};
use super::defaults::text;
use super::image::Image;
use super::{RAW, eras};
use crate::api::{ConfigFormat, ConfigSpec, MergeMode, OpenClawInstanceSpec};
use crate::documents::nulls;
use crate::nesting;
use crate::object::Kind;
use crate::problem::{Problem, Rule, Severity};
use crate::vocab::names;

/// The user's configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BaseConfig {
    /// The document as the user gave it.
    pub(crate) document: Map<String, Value>,
    /// Where it stands, for problems.
    pub(crate) path: String,
    /// In mode `merge`: the paths that the agent cannot change, sorted.
    pub(crate) forced: Option<Vec<String>>,
}

/// What the pod cannot work without: who may talk to the gateway, and where it listens. A part in
/// another file would be below these.
const ALWAYS_FORCED: &[&str] = &[
    "gateway.$include",
    "gateway.auth",
    "gateway.bind",
    "gateway.mode",
    "gateway.port",
    "gateway.tls",
    "gateway.trustedProxies",
];
const INCLUDE: &str = "$include";

/// Switches of the configuration that leave unused what the spec puts into the pod.
fn check_switches(
    spec: &OpenClawInstanceSpec,
    path: &str,
    document: &Map<String, Value>,
    cx: &mut Resolving<'_>,
) {
    let is_off = |part: &str| {
        document.get(part).and_then(|part| part.get("enabled")) == Some(&Value::Bool(false))
    };
    let has_browser = spec.chromium.as_ref().and_then(|each| each.enabled) == Some(true);
    if has_browser && is_off("browser") {
        cx.ineffective(
            format!("{path}.browser.enabled"),
            "keeps the agent from the browser that `spec.chromium` runs beside it: remove one of \
             the two",
        );
    }
    let has_plugins = spec.plugins.as_ref().is_some_and(|plugins| !plugins.is_empty());
    if has_plugins && is_off("plugins") {
        cx.ineffective(
            format!("{path}.plugins.enabled"),
            "keeps the agent from loading what `spec.plugins` installs: remove one of the two",
        );
    }
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    image: &Image,
    cx: &mut Resolving<'_>,
) -> BaseConfig {
    let unset = ConfigSpec::default();
    let config = spec.config.as_ref().unwrap_or(&unset);
    let (path, document) = document(config, cx);
    let (document, without_value) = nulls::take_away_of_configuration(&path, document);
    let refused = eras::check(&path, &document, image.version, image.told.is_some());
    for problem in without_value.into_iter().chain(refused) {
        cx.push(problem);
    }
    check_switches(spec, &path, &document, cx);
    if !image.version.has_validator() && !document.is_empty() {
        let message = format!(
            "{} has no validator, so nobody judges this before the agent gets it: use a newer \
             version",
            image.version
        );
        cx.push(Problem::advice(path.as_str(), Rule::Config, message));
    }
    BaseConfig { document, path, forced: forced(config) }
}

/// In mode `merge`, the paths that are taken from the spec whatever the file says.
fn forced(config: &ConfigSpec) -> Option<Vec<String>> {
    if config.merge_mode != Some(MergeMode::Merge) {
        return None;
    }
    let users = config.force_paths.as_deref().unwrap_or_default();
    let mut all: BTreeSet<String> = ALWAYS_FORCED.iter().copied().map(str::to_owned).collect();
    for path in users.iter().filter(|path| !path.is_empty()) {
        // A part in another file could say what a forced path does not.
        all.insert(INCLUDE.to_owned());
        all.extend(path.match_indices('.').filter_map(|(end, _)| {
            let parent = path.get(..end)?;
            Some(format!("{parent}.{INCLUDE}"))
        }));
        all.insert(path.clone());
    }
    Some(all.into_iter().collect())
}

fn document(config: &ConfigSpec, cx: &mut Resolving<'_>) -> (String, Map<String, Value>) {
    let Some(source) = &config.config_map_ref else {
        return (RAW.to_owned(), inline(config, cx));
    };
    if config.raw.as_ref().is_some_and(|raw| raw.as_object().is_none_or(|raw| !raw.is_empty())) {
        cx.ineffective(
            RAW,
            "has no effect beside `spec.config.configMapRef`: remove one of the two",
        );
    }
    let reference = Reference {
        path: "spec.config.configMapRef.name",
        name: &source.name,
        missing: Some(Severity::Error),
        unseen: "rendered as if it were empty",
    };
    if source.name.is_empty() {
        // Refused by the limits of the API.
        return ("spec.config.configMapRef".to_owned(), Map::new());
    }
    let key = text(source.key.as_ref()).unwrap_or(names::CONFIG_KEY);
    let path = format!("spec.config.configMapRef[{}/{key}]", source.name);
    let document = match cx.config_map(reference).map(|texts| texts.get(key)) {
        Some(Some(content)) => parse(content, config.format, &path, cx),
        Some(None) => {
            let path = "spec.config.configMapRef.key";
            cx.lacks_key(Kind::ConfigMap, Reference { path, ..reference }, key);
            Map::new()
        }
        None => Map::new(),
    };
    (path, document)
}

fn inline(config: &ConfigSpec, cx: &mut Resolving<'_>) -> Map<String, Value> {
    match &config.raw {
        Some(Value::Object(raw)) => raw.clone(),
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            cx.error(RAW, "must be an object, as openclaw.json is");
            Map::new()
        }
    }
}

fn parse(
    content: &str,
    format: Option<ConfigFormat>,
    path: &str,
    cx: &mut Resolving<'_>,
) -> Map<String, Value> {
    let parsed = if content.trim().is_empty() {
        Ok(Value::Object(Map::new()))
    } else {
        nesting::read(content, format.unwrap_or_default())
    };
    match parsed {
        Ok(Value::Object(document)) => return document,
        Ok(_) => cx.error(path, "must hold an object, as openclaw.json is"),
        Err(message) => {
            cx.error(path, message.replace('\n', " "));
        }
    }
    Map::new()
}

/// Reports paths that force nothing.
pub(super) fn check_force_paths(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    let Some(config) = &spec.config else { return };
    let paths = config.force_paths.as_deref().unwrap_or_default();
    if !paths.is_empty() && forced(config).is_none() {
        cx.error(
            "spec.config.forcePaths",
            "needs `spec.config.mergeMode: merge`: overwrite mode forces every path",
        );
    }
}
