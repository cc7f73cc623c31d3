//! `diagnostics`, and the plugin that hands metrics to the collector.

use serde_json::{Map, Value, json};

use super::object_at;
use crate::resolve::Resolved;
use crate::vocab::{plugins, ports};

/// What the user says himself stays: where that keeps metrics from the collector, there is none.
pub(super) fn exporter(document: &mut Map<String, Value>, instance: &Resolved) {
    if instance.served_metrics().is_none() {
        return;
    }
    if let Some(diagnostics) = object_at(document, "diagnostics") {
        fill(diagnostics, [("enabled", json!(true))]);
        if let Some(otel) = object_at(diagnostics, "otel") {
            let collector = format!("http://127.0.0.1:{}", ports::OTLP);
            fill(
                otel,
                [
                    ("enabled", json!(true)),
                    ("endpoint", json!(collector)),
                    ("logs", json!(false)),
                    ("metrics", json!(true)),
                    ("protocol", json!("http/protobuf")),
                    ("traces", json!(false)),
                ],
            );
        }
    }
    let plugin = object_at(document, "plugins")
        .and_then(|plugins| object_at(plugins, "entries"))
        .and_then(|entries| object_at(entries, plugins::OTEL));
    if let Some(plugin) = plugin {
        fill(plugin, [("enabled", json!(true))]);
    }
}

fn fill<const N: usize>(object: &mut Map<String, Value>, missing: [(&str, Value); N]) {
    for (key, value) in missing {
        let place = object.entry(key).or_insert(Value::Null);
        if place.is_null() {
            *place = value;
        }
    }
}
