//! [`Consequence`]: what becomes of an agent's pod when its objects become others.

use std::fmt;

use serde_json::Value;

use crate::config::reload;
use crate::object::Object;
use crate::problem::printable;
use crate::version::Version;
use crate::vocab::images;
use crate::vocab::names::{self, CONFIG_KEY};

/// What a change of an instance's objects does to its pod, the mildest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consequence {
    /// Nothing: the agent does not notice.
    Nothing,
    /// The running gateway reads the configuration again.
    Reloads,
    /// The running gateway does not look at its configuration until it is started again.
    Waits,
    /// The gateway restarts in its container, because of these keys of openclaw.json.
    GatewayRestarts(Vec<String>),
    /// There is a pod where none was.
    Starts,
    /// The pod is replaced.
    PodReplaced,
    /// There is no pod any more.
    Stops,
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing happens to the pod"),
            Self::Reloads => f.write_str("the running gateway reads its configuration again"),
            Self::Waits => f.write_str(
                "the change waits for the gateway's next start: `gateway.reload.mode` is `off`",
            ),
            Self::GatewayRestarts(keys) => {
                let keys = printable(&keys.join(", "));
                write!(f, "the gateway restarts in its container, because of {keys}")
            }
            Self::Starts => f.write_str("a pod is started"),
            Self::PodReplaced => f.write_str("the pod is replaced"),
            Self::Stops => f.write_str("the pod is stopped"),
        }
    }
}

/// Returns what becomes of the pod when the objects of one instance become others.
///
/// Of what the pod reads, the one part that changes without a new pod is openclaw.json. Which of its
/// keys restart the gateway depends on the version; a version that nobody can tell counts as the
/// newest.
///
/// ```
/// use openclaw_render::{Consequence, Observed, Settings, consequence, decode_instance, render_instance};
/// use serde_json::{Value, json};
///
/// let objects = |spec: Value| {
///     let manifest = json!({"metadata": {"name": "ada"}, "spec": spec});
///     let (instance, _) = decode_instance(manifest).expect("it decodes");
///     render_instance(&instance, &Observed::default(), &Settings::default()).0
/// };
/// let before = objects(json!({"image": {"tag": "2026.9.6"}}));
/// let after = objects(json!({"image": {"tag": "2026.9.7"}}));
/// assert_eq!(consequence(&before, &after), Consequence::PodReplaced);
/// ```
#[must_use]
pub fn consequence(from: &[Object], to: &[Object]) -> Consequence {
    match (pod(from), pod(to)) {
        (None, None) => Consequence::Nothing,
        (None, Some(_)) => Consequence::Starts,
        (Some(_), None) => Consequence::Stops,
        (Some(before), Some(after)) if before != after => Consequence::PodReplaced,
        (Some(_), Some(pod)) => {
            of_configuration(&configuration(from), &configuration(to), version(&pod))
        }
    }
}

/// Returns the template of a pod that is asked for.
fn pod(objects: &[Object]) -> Option<Value> {
    let set = objects.iter().find_map(|object| {
        let Object::StatefulSet(set) = object else { return None };
        set.spec.as_ref()
    })?;
    let is_wanted = set.replicas.unwrap_or(1) > 0;
    is_wanted.then(|| serde_json::to_value(&set.template).unwrap_or_default())
}

fn configuration(objects: &[Object]) -> Value {
    let text = objects.iter().find_map(|object| {
        let Object::ConfigMap(map) = object else { return None };
        map.data.as_ref()?.get(CONFIG_KEY)
    });
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Returns the version that the agent's image tells.
fn version(pod: &Value) -> Option<Version> {
    let containers = pod.pointer("/spec/containers")?.as_array()?;
    let is_agent = |each: &&Value| each.get("name").is_some_and(|name| name == names::AGENT);
    let image = containers.iter().find(is_agent)?.get("image")?.as_str()?;
    Version::from_tag(images::tag(image)?)
}

fn of_configuration(from: &Value, to: &Value, version: Option<Version>) -> Consequence {
    let mut changed = Vec::new();
    collect(from, to, String::new(), &mut changed);
    if changed.is_empty() {
        return Consequence::Nothing;
    }
    if to.pointer("/gateway/reload/mode").is_some_and(|mode| mode == "off") {
        return Consequence::Waits;
    }
    changed.retain(|path| reload::restarts_gateway(path, version));
    if changed.is_empty() { Consequence::Reloads } else { Consequence::GatewayRestarts(changed) }
}

/// Collects the paths of what differs, down to what is no object on both sides.
fn collect(from: &Value, to: &Value, path: String, changed: &mut Vec<String>) {
    let (Some(before), Some(after)) = (from.as_object(), to.as_object()) else {
        if from != to {
            changed.push(path);
        }
        return;
    };
    let added = after.keys().filter(|key| !before.contains_key(*key));
    for key in before.keys().chain(added) {
        let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let (before, after) = (before.get(key), after.get(key));
        let nothing = &Value::Null;
        collect(before.unwrap_or(nothing), after.unwrap_or(nothing), inner, changed);
    }
}
