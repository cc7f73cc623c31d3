//! What a user of a cluster sees of the operator, one scenario a test, on a real API server.

#![expect(clippy::indexing_slicing, reason = "a test that meets nothing there fails")]

mod support;

use support::cluster::Cluster;
use support::fixtures::Fixture;
use support::operator::Operator;

#[tokio::test]
async fn an_instance_becomes_ready() {
    let cluster = Cluster::namespace("ready").await;
    let operator = Operator::start(&cluster).await;
    let minimal = Fixture::named("minimal");
    let instance = cluster.apply(minimal.instance()).await.expect("the instance is taken");
    let name = instance["metadata"]["name"].as_str().expect("a name");
    cluster.until_ready(name).await;
    println!("{}", operator.metrics().await);
    println!("{}", operator.log());
    cluster.end().await;
}
