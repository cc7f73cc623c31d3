//! Reports: status, then what changed in it as events. Never hides a failed pass.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event as KubernetesEvent, EventType};
use openclaw_render::api::AutoUpdateStatus;
use openclaw_render::{Event, EventKind, Plan};
use serde::Deserialize as _;
use serde_json::{Value, json};
use tracing::warn;

use crate::cluster::{Place, Resource};
use crate::context::Context;
use crate::error::{CallError, shortened};
use crate::instances::Instances;
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
    say(context, &context.instances, key, live, plan.news(live), &plan.events).await?;
    // Only now: what could not be written comes again.
    let before = live.pointer("/status/autoUpdate");
    let before = before.and_then(|record| AutoUpdateStatus::deserialize(record).ok());
    context.metrics.update_recorded(key, before.as_ref(), plan.status.auto_update.as_ref());
    Ok(())
}

/// Writes a status, if there is news, to what was last seen under that name, and tells of it.
pub(crate) async fn say(
    context: &Context,
    texts: &Instances,
    key: &InstanceKey,
    live: &Value,
    news: Option<Value>,
    events: &[Event],
) -> Result<(), CallError> {
    let resource = texts.resource();
    if let Some(status) = news {
        let patch = whole_status(live, &status);
        match context.cluster.patch_status(Place::of(resource, key), &patch).await {
            Ok(stored) => texts.written(stored.instance()?),
            // Deleted meanwhile: nobody is left to tell.
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    // Only now: had the status not been stored, the next pass would tell them again.
    for event in events {
        tell(context, resource, key, live, event).await;
    }
    Ok(())
}

/// Returns the patch that puts a status in place of the one that was seen.
pub(crate) fn whole_status(live: &Value, status: &Value) -> Value {
    let version = live::text(live, "resourceVersion");
    json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "add", "path": "/status", "value": status},
    ])
}

/// Publishes an event about an object of that name and type.
pub(crate) async fn tell(
    context: &Context,
    resource: Resource,
    key: &InstanceKey,
    live: &Value,
    event: &Event,
) {
    let regarding = ObjectReference {
        api_version: Some(resource.api_version.to_owned()),
        kind: Some(resource.kind.to_owned()),
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
            object = format!("{}/{}", resource.kind, key.name),
            reason = event.reason,
            %error,
            "an event could not be published"
        ),
        Err(_) => warn!(
            namespace = key.namespace,
            object = format!("{}/{}", resource.kind, key.name),
            reason = event.reason,
            "an event could not be published in time"
        ),
    }
}
