//! What is new to the operator when a pass begins: what others have done since the last one.

use std::collections::BTreeMap;

use openclaw_render::vocab::KIND;
use openclaw_render::{ConfigSync, Fact, Kind, printable};
use serde_json::Value;

use super::World;
use crate::api_server::Key;
use crate::values::{at, text};

/// What the operator saw last.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    versions: BTreeMap<Key, String>,
    answer: Option<ConfigSync>,
    tags: Vec<String>,
    kinds: BTreeMap<Kind, Fact<()>>,
    later: i64,
}

impl World {
    /// Returns what is new, a line each.
    pub(super) fn sees(&self) -> Vec<String> {
        let looked = &self.looked;
        let mut lines = Vec::new();
        if self.later > looked.later {
            lines.push(format!("that {} seconds have passed", self.later - looked.later));
        }
        for (kind, fact) in &self.kinds {
            // Before the first look, all that a cluster may lack is there.
            if looked.kinds.get(kind).unwrap_or(&Fact::Known(())) != fact {
                let word = match fact {
                    Fact::Known(()) => "has",
                    Fact::Absent => "does not have",
                    Fact::Unknown => "may have or not",
                };
                lines.push(format!("that the cluster {word} {kind}"));
            }
        }
        for (key, live) in self.server.objects() {
            let version = text(live, "/metadata/resourceVersion");
            let word = match looked.versions.get(key) {
                Some(before) if before == version => continue,
                Some(_) => " changed",
                None => "",
            };
            lines.push(format!("{}{word}{}", named(key), state(live)));
        }
        let gone = looked.versions.keys();
        let gone = gone.filter(|key| self.server.get(&key.0, &key.1, &key.2).is_none());
        lines.extend(gone.map(|key| format!("{} gone", named(key))));
        if let Some(tags) = self.tags().filter(|tags| *tags != looked.tags) {
            lines.push(format!("tags {} of the image", printable(&tags.join(", "))));
        }
        if let Some(answer) = self.said().filter(|answer| looked.answer.as_ref() != Some(answer)) {
            lines.push(told(answer));
        }
        lines
    }

    /// Notes what the operator has seen and done by the end of a pass.
    pub(super) fn remember(&mut self) {
        let version = |live: &Value| text(live, "/metadata/resourceVersion").to_owned();
        let objects = self.server.objects();
        self.looked = Looked {
            versions: objects.map(|(key, live)| (key.clone(), version(live))).collect(),
            answer: self.said().cloned(),
            tags: self.tags().unwrap_or_default(),
            kinds: self.kinds.clone(),
            later: self.later,
        };
    }

    fn said(&self) -> Option<&ConfigSync> {
        self.asked.as_ref()?.answer.as_ref()
    }

    fn tags(&self) -> Option<Vec<String>> {
        Some(self.registry.as_ref()?.tags.iter().cloned().collect())
    }
}

fn named((kind, _, name): &Key) -> String {
    format!("{kind}/{}", printable(name))
}

/// What matters of an object that somebody else keeps.
fn state(live: &Value) -> String {
    if !at(live, "/metadata/deletionTimestamp").is_null() {
        return ", which is being deleted".to_owned();
    }
    match text(live, "/kind") {
        "Pod" => pod(live),
        "PersistentVolumeClaim" => match text(live, "/status/phase") {
            "" => String::new(),
            phase => format!(": {phase}"),
        },
        "Job" => match text(live, "/status/conditions/0/type") {
            "" => String::new(),
            condition => format!(": {condition}"),
        },
        KIND => match live.pointer("/metadata/generation").and_then(Value::as_u64) {
            Some(generation) => format!(", generation {generation}"),
            None => String::new(),
        },
        _ => String::new(),
    }
}

fn pod(live: &Value) -> String {
    let lists = ["initContainerStatuses", "containerStatuses"];
    let containers =
        lists.iter().filter_map(|list| at(live, "/status").get(list)?.as_array()).flatten();
    let mut waiting = containers.filter_map(|each| each.pointer("/state/waiting/reason")?.as_str());
    match (text(live, "/status/conditions/0/status"), waiting.next_back()) {
        ("True", _) => ": ready".to_owned(),
        (_, Some(reason)) => format!(": {}", printable(reason)),
        ("", None) => String::new(),
        (_, None) => ": not ready".to_owned(),
    }
}

fn told(answer: &ConfigSync) -> String {
    let hash = |hash: &Option<String>| hash.clone().unwrap_or_else(|| "nothing".to_owned());
    let mut text = format!("that config-sync has {} in place", hash(&answer.applied_hash));
    if answer.rejected_hash.is_some() {
        text.extend([" and refuses ", &hash(&answer.rejected_hash)]);
    }
    if let Some(message) = &answer.message {
        text.extend([": ", &printable(message)]);
    }
    text
}
