//! The agent of most scenarios.

use std::collections::BTreeMap;

use openclaw_render::{ObjectKey, Severity};
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::fixtures::Fixture;

/// `minimal.yaml`, ready.
pub(crate) async fn ready(cluster: &Cluster) -> &'static str {
    cluster.apply(Fixture::named("minimal").instance()).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    "ada"
}

/// The instance of a fixture under one name, and what is rendered of it; nothing if the fixture
/// needs a whole cluster, would not start, or has to be what its agent begins with.
pub(crate) fn under_one_name(fixture: &Fixture) -> Option<(Value, BTreeMap<ObjectKey, Value>)> {
    let mut fixture = fixture.in_namespace("any");
    for document in fixture.documents.iter_mut().filter(|it| it["kind"] == "OpenClawInstance") {
        // Some are of an older version than the first one, and may follow it only by leave.
        let image = &document["spec"]["image"];
        let version = [&image["version"], &image["tag"]].into_iter().find(|it| it.is_string());
        let annotations = json!({"openclaw.rocks/allow-downgrade": version});
        document["metadata"] =
            json!({"name": "ada", "namespace": "any", "annotations": annotations});
    }
    let (objects, problems) = fixture.render();
    let starts = problems.iter().all(|problem| problem.severity == Severity::Advice);
    let rendered = objects.iter().map(|object| (object.key(), object.to_value())).collect();
    let whole = fixture.documents.iter().any(|each| each["kind"] == "OpenClawClusterDefaults");
    // Whether replicas have claims of their own is decided when an agent is made.
    let scaling = "/spec/availability/autoScaling";
    let whole = whole || fixture.instance().pointer(scaling).is_some();
    // What status remembers is no user's to apply.
    let whole = whole || fixture.instance().get("status").is_some();
    (starts && !whole).then(|| (fixture.instance().clone(), rendered))
}
