//! The user's openclaw.json: where it comes from, and whether it can be read.

use serde_json::{Map, Value};

use super::defaults::text;
use super::image::Image;
use crate::api::{ConfigFormat, ConfigSpec, OpenClawInstanceSpec};
use crate::config::eras;
use crate::nesting;
use crate::observed::{Fact, Observed};
use crate::problem::{Problem, Rule};
use crate::vocab::names;

/// The user's configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BaseConfig {
    /// The document as the user gave it.
    pub(crate) document: Map<String, Value>,
    /// Where it stands, for problems.
    pub(crate) path: String,
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    observed: &Observed,
    image: &Image,
    problems: &mut Vec<Problem>,
) -> BaseConfig {
    let unset = ConfigSpec::default();
    let config = spec.config.as_ref().unwrap_or(&unset);
    let (path, document) = document(config, observed, problems);
    eras::check(&path, &document, image.version, image.told.is_some(), problems);
    if !image.version.has_validator() && !document.is_empty() {
        problems.push(Problem::advice(
            path.as_str(),
            Rule::Config,
            format!(
                "{} has no validator, so nobody judges this before the agent gets it: use a newer \
                 version",
                image.version
            ),
        ));
    }
    BaseConfig { document, path }
}

fn document(
    config: &ConfigSpec,
    observed: &Observed,
    problems: &mut Vec<Problem>,
) -> (String, Map<String, Value>) {
    let Some(reference) = &config.config_map_ref else {
        return ("spec.config.raw".to_owned(), inline(config, problems));
    };
    if config.raw.as_ref().is_some_and(|raw| raw.as_object().is_none_or(|raw| !raw.is_empty())) {
        problems.push(Problem::advice(
            "spec.config.raw",
            Rule::Ineffective,
            "has no effect beside `spec.config.configMapRef`: remove one of the two",
        ));
    }
    if reference.name.is_empty() {
        problems.push(Problem::error(
            "spec.config.configMapRef.name",
            Rule::Invalid,
            "is empty: name a ConfigMap or remove the reference",
        ));
        return ("spec.config.configMapRef".to_owned(), Map::new());
    }
    let key = text(reference.key.as_ref()).unwrap_or(names::CONFIG_KEY);
    let path = format!("spec.config.configMapRef[{}/{key}]", reference.name);
    let document = match observed.config_maps.get(&reference.name).unwrap_or(&Fact::Unknown) {
        Fact::Known(data) => {
            if let Some(content) = data.get(key) {
                parse(content, config.format, &path, problems)
            } else {
                problems.push(Problem::error(
                    "spec.config.configMapRef.key",
                    Rule::Missing,
                    format!("ConfigMap {:?} has no key {key:?} in `data`", reference.name),
                ));
                Map::new()
            }
        }
        Fact::Absent => {
            problems.push(Problem::error(
                "spec.config.configMapRef.name",
                Rule::Missing,
                format!("ConfigMap {:?} does not exist in this namespace", reference.name),
            ));
            Map::new()
        }
        Fact::Unknown => {
            problems.push(Problem::advice(
                "spec.config.configMapRef.name",
                Rule::Unknown,
                format!(
                    "ConfigMap {:?} was not seen: rendered as if it were empty",
                    reference.name
                ),
            ));
            Map::new()
        }
    };
    (path, document)
}

fn inline(config: &ConfigSpec, problems: &mut Vec<Problem>) -> Map<String, Value> {
    match &config.raw {
        Some(Value::Object(raw)) => raw.clone(),
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            problems.push(Problem::error(
                "spec.config.raw",
                Rule::Invalid,
                "must be an object, as openclaw.json is",
            ));
            Map::new()
        }
    }
}

fn parse(
    content: &str,
    format: Option<ConfigFormat>,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Map<String, Value> {
    let parsed = if content.trim().is_empty() {
        Ok(Value::Object(Map::new()))
    } else {
        nesting::read(content, format.unwrap_or_default())
    };
    match parsed {
        Ok(Value::Object(document)) => return document,
        Ok(_) => problems.push(Problem::error(
            path,
            Rule::Invalid,
            "must hold an object, as openclaw.json is",
        )),
        Err(message) => {
            problems.push(Problem::error(path, Rule::Invalid, message.replace('\n', " ")));
        }
    }
    Map::new()
}
