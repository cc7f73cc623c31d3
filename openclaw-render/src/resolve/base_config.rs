//! The user's openclaw.json: where it comes from, and what in it the operator or the application
//! cannot accept.

use serde_json::{Map, Value};

use super::defaults::text;
use super::image::Image;
use crate::api::{ConfigFormat, ConfigSpec, OpenClawInstanceSpec};
use crate::config::eras;
use crate::observed::{Fact, Observed};
use crate::problem::{Problem, Rule};
use crate::vocab::{env, names, ports};

/// The user's configuration, and what it means for the pod.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BaseConfig {
    /// The document as the user gave it.
    pub(crate) document: Map<String, Value>,
    /// How clients of the gateway prove who they are.
    pub(crate) auth: Auth,
}

/// How clients of the gateway prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// By the token in the Secret, which the environment carries.
    SecretToken,
    /// By what the user's configuration says; the Secret's token would contradict it.
    Configured,
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
    let auth = check_auth(&path, &document, problems);
    if proxied(spec) && mode(&document) == Some("trusted-proxy") {
        problems.push(Problem::advice(
            format!("{path}.gateway.auth.mode"),
            Rule::Risk,
            "the gateway proxy passes identity headers of everyone who reaches it: let only the \
             authenticating proxy in with `spec.security.networkPolicy`",
        ));
    }
    check_gateway(&path, &document, proxied(spec), problems);
    eras::check(&path, &document, image.version, image.version_is_told, problems);
    if !image.version.has_validator() && !document.is_empty() {
        problems.push(Problem::advice(
            path,
            Rule::Config,
            format!(
                "{} has no validator, so nobody judges this before the agent gets it: use a newer \
                 version",
                image.version
            ),
        ));
    }
    BaseConfig { document, auth }
}

fn mode(document: &Map<String, Value>) -> Option<&str> {
    document.get("gateway")?.get("auth")?.get("mode")?.as_str()
}

/// Whether the gateway proxy stands in front of the gateway.
pub(super) fn proxied(spec: &OpenClawInstanceSpec) -> bool {
    spec.gateway.as_ref().and_then(|gateway| gateway.enabled).unwrap_or(true)
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
    let parsed: Result<Value, String> = match format.unwrap_or(ConfigFormat::Json) {
        _ if content.trim().is_empty() => Ok(Value::Object(Map::new())),
        ConfigFormat::Json => serde_json::from_str(content).map_err(|error| {
            format!("is not JSON ({error}); JSON5 needs `spec.config.format: json5`")
        }),
        ConfigFormat::Json5 => {
            json5::from_str(content).map_err(|error| format!("is not JSON5 ({error})"))
        }
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

/// The three combinations that the application's validator accepts and its start refuses, and a
/// token where everyone with access to ConfigMaps can read it.
fn check_auth(path: &str, document: &Map<String, Value>, problems: &mut Vec<Problem>) -> Auth {
    let auth = document.get("gateway").and_then(|gateway| gateway.get("auth"));
    let field = |name: &str| auth.and_then(|auth| auth.get(name)).filter(|value| !value.is_null());
    let mode = field("mode").and_then(Value::as_str);
    let token = field("token");
    if token.is_some_and(Value::is_string) {
        problems.push(Problem::advice(
            format!("{path}.gateway.auth.token"),
            Rule::Risk,
            "whoever may read ConfigMaps can read this token: put it into a Secret under the key \
             `token` and name that in `spec.gateway.existingSecret`",
        ));
    }
    match (mode, token) {
        (Some("trusted-proxy"), Some(_)) => {
            problems.push(Problem::will_not_start(
                format!("{path}.gateway.auth.token"),
                "a token and mode `trusted-proxy` exclude each other: remove the token",
            ));
            Auth::Configured
        }
        (Some("trusted-proxy" | "password" | "none"), None) | (_, Some(_)) => Auth::Configured,
        (_, None) => Auth::SecretToken,
    }
}

fn check_gateway(
    path: &str,
    document: &Map<String, Value>,
    proxied: bool,
    problems: &mut Vec<Problem>,
) {
    let Some(gateway) = document.get("gateway") else { return };
    let Some(gateway) = gateway.as_object() else {
        problems.push(Problem::will_not_start(
            format!("{path}.gateway"),
            "must be an object; the operator left it as it is",
        ));
        return;
    };
    for name in ["auth", "controlUi"] {
        if gateway.get(name).is_some_and(|value| !value.is_object()) {
            problems.push(Problem::will_not_start(
                format!("{path}.gateway.{name}"),
                "must be an object; the operator left it as it is",
            ));
        }
    }
    if gateway.get("trustedProxies").is_some_and(|value| !value.is_array()) {
        problems.push(Problem::will_not_start(
            format!("{path}.gateway.trustedProxies"),
            "must be a list of addresses and networks; the operator left it as it is",
        ));
    }
    if let Some(mode) = gateway.get("mode").filter(|mode| mode.as_str() != Some("local")) {
        problems.push(Problem::advice(
            format!("{path}.gateway.mode"),
            Rule::Ineffective,
            format!("{mode} has no effect: a gateway in a pod always runs in mode `local`"),
        ));
    }
    if gateway.get("port").is_some_and(|port| port.as_i64() != Some(i64::from(ports::GATEWAY))) {
        problems.push(Problem::advice(
            format!("{path}.gateway.port"),
            Rule::Ineffective,
            format!(
                "has no effect: the gateway listens on {} in the pod ({}); the Service's port is \
                 `spec.networking.service.ports`",
                ports::GATEWAY,
                env::GATEWAY_PORT
            ),
        ));
    }
    check_bind(path, gateway, proxied, problems);
}

fn check_bind(
    path: &str,
    gateway: &Map<String, Value>,
    proxied: bool,
    problems: &mut Vec<Problem>,
) {
    let bind = gateway.get("bind").filter(|bind| !bind.is_null());
    let path_of_bind = format!("{path}.gateway.bind");
    match bind.map(|bind| bind.as_str().unwrap_or_default()) {
        Some("loopback") if !proxied => problems.push(Problem::advice(
            path_of_bind,
            Rule::Ineffective,
            "without the gateway proxy nothing outside the pod reaches a gateway on `loopback`: \
             use `lan`, or turn `spec.gateway.enabled` on",
        )),
        None | Some("loopback") => {}
        Some("lan") => {
            let mode = gateway.get("auth").and_then(|auth| auth.get("mode"));
            if mode.and_then(Value::as_str) == Some("none") {
                problems.push(Problem::will_not_start(
                    format!("{path}.gateway.auth.mode"),
                    "the application refuses to listen on `lan` without authentication: use \
                     `token`, or remove `gateway.bind`",
                ));
            }
        }
        Some("auto" | "0.0.0.0") => problems.push(Problem::advice(
            path_of_bind,
            Rule::Ineffective,
            "becomes `lan`, which means the same in a pod and is valid in every version",
        )),
        Some(_) => problems.push(Problem::error(
            path_of_bind,
            Rule::Invalid,
            "must be `loopback` or `lan`: the addresses of a pod are not known beforehand",
        )),
    }
}
