//! Reports: status, then what changed in it as events. Never hides a failed pass.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event as KubernetesEvent, EventType};
use openclaw_render::{EventKind, Plan};
use serde_json::{Value, json};
use tracing::warn;

use crate::cluster::INSTANCES;
use crate::context::Context;
use crate::error::{CallError, shortened};
use crate::live::{self, InstanceKey};

/// Events are best effort: do not block a worker for longer.
const EVENT_DEADLINE: Duration = Duration::from_secs(5);
/// Longest note of an event, see `events.k8s.io/v1`.
const LONGEST_NOTE: usize = 1024;

/// Writes the status of a plan to the instance as it was last seen, unless it stands there already.
pub(crate) async fn publish(
    context: &Context,
    key: &InstanceKey,
    live: &Value,
    plan: &Plan,
) -> Result<(), CallError> {
    context.metrics.reported(key, &plan.status);
    if let Some(status) = plan.news(live) {
        let version = live::text(live, "resourceVersion");
        let patch = json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/status", "value": status},
        ]);
        match context.cluster.patch_status(&key.namespace, &key.name, &patch).await {
            Ok(stored) => context.instances.written(stored),
            // Deleted meanwhile: nobody is left to tell.
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    // Only now: had the status not been stored, the next pass would tell them again.
    for event in &plan.events {
        tell(context, key, live, event).await;
    }
    Ok(())
}

async fn tell(context: &Context, key: &InstanceKey, live: &Value, event: &openclaw_render::Event) {
    let regarding = ObjectReference {
        api_version: Some(INSTANCES.api_version.to_owned()),
        kind: Some(INSTANCES.kind.to_owned()),
        name: Some(key.name.clone()),
        namespace: Some(key.namespace.clone()),
        uid: live::text(live, "uid").map(ToOwned::to_owned),
        resource_version: None,
        field_path: None,
    };
    let event = KubernetesEvent {
        type_: match event.kind {
            EventKind::Normal => EventType::Normal,
            EventKind::Warning => EventType::Warning,
        },
        reason: event.reason.clone(),
        note: Some(shortened(&event.message, LONGEST_NOTE)),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    let published = context.recorder.publish(&event, &regarding);
    match tokio::time::timeout(EVENT_DEADLINE, published).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(
            namespace = key.namespace,
            instance = key.name,
            reason = event.reason,
            %error,
            "an event could not be published"
        ),
        Err(_) => warn!(
            namespace = key.namespace,
            instance = key.name,
            reason = event.reason,
            "an event could not be published in time"
        ),
    }
}
