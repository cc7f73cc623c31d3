//! `otel-collector`: takes the agent's metrics on loopback and serves them to Prometheus.

use k8s_openapi::api::core::v1::{Container, SecurityContext};
use serde_json::{Value, json};

use crate::pod::part::{File, OnChange, OpenTo, Part, Port, Published, Start};
use crate::pod::volumes;
use crate::resolve::{Resolved, Served};
use crate::vocab::{annotations, names, ports};

const NAME: &str = "otel-collector";
/// Its configuration: key and file, volume, and where that is seen.
const CONFIGURATION: &str = "otel-collector.yaml";
const CONFIGURATION_VOLUME: &str = "otel-collector-config";
const CONFIGURATION_DIRECTORY: &str = "/etc/otel-collector";
/// Series of an agent that is idle do not end: a counter that begins again looks like news.
const METRIC_EXPIRATION: &str = "8760h";
/// User of the image, unless the pod is given one.
const USER: i64 = 10001;

pub(in crate::pod) fn part(instance: &Resolved) -> Option<Part> {
    let served = instance.served_metrics()?;
    let config = instance.name.config();
    Some(Part {
        container: container(instance, served),
        // An init container would keep the agent waiting for this image.
        start: Start::Beside,
        volumes: vec![volumes::config_map(CONFIGURATION_VOLUME, &config, Some(CONFIGURATION))],
        files: vec![File {
            key: CONFIGURATION,
            content: configuration(served),
            on_change: OnChange::RestartsPod(annotations::COLLECTOR_HASH),
        }],
        ports: vec![Port {
            number: served.port,
            name: names::METRICS_PORT,
            published: Some(Published {
                number: served.port,
                name: names::METRICS_PORT,
                app_protocol: None,
            }),
            open_to: OpenTo::Scrapers,
        }],
        ..Part::default()
    })
}

fn container(instance: &Resolved, served: &Served) -> Container {
    Container {
        args: Some(vec![format!("--config={CONFIGURATION_DIRECTORY}/{CONFIGURATION}")]),
        image: Some(served.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: NAME.to_owned(),
        resources: Some(served.resources.clone()),
        security_context: Some(SecurityContext {
            run_as_non_root: Some(true),
            run_as_user: instance.security.user_of_image(USER),
            ..instance.security.helper.clone()
        }),
        volume_mounts: Some(vec![volumes::read_only(
            CONFIGURATION_VOLUME,
            CONFIGURATION_DIRECTORY,
        )]),
        ..Default::default()
    }
}

/// JSON is YAML, too. Without an address of its own, the exporter listens in every family that the
/// node has. What the collector says of itself stays unsaid: it would be one more open port.
fn configuration(served: &Served) -> String {
    let document: Value = json!({
        "exporters": {"prometheus": {
            "endpoint": format!(":{}", served.port),
            "metric_expiration": METRIC_EXPIRATION,
        }},
        "processors": {"memory_limiter": {
            "check_interval": "1s",
            "limit_percentage": 80,
            "spike_limit_percentage": 20,
        }},
        "receivers": {"otlp": {"protocols": {"http": {
            "endpoint": format!("127.0.0.1:{}", ports::OTLP),
        }}}},
        "service": {
            "pipelines": {"metrics": {
                "exporters": ["prometheus"],
                "processors": ["memory_limiter"],
                "receivers": ["otlp"],
            }},
            "telemetry": {"metrics": {"level": "none"}},
        },
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}
