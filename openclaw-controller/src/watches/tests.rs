//! What is known after lists and changes, sink by sink. No server is asked.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use kube::runtime::events::{Recorder, Reporter};
use openclaw_render::pacing::Pacing;
use serde_json::json;

use super::*;
use crate::cache::{Content, Reference};
use crate::cluster::Cluster;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::turns::Turns;

fn watches() -> Watches {
    asking(Client::new(
        tower::service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }),
        "default",
    ))
}

/// Watches of what this client is told.
fn asking(client: Client) -> Watches {
    let reader = Reader::new(client.clone());
    let reporter = Reporter { controller: "test".to_owned(), instance: None };
    let context = Context {
        cluster: Cluster::new(reader.clone()),
        cache: Arc::default(),
        queue: Arc::new(Queue::new(9)),
        metrics: Arc::new(Metrics::new()),
        questions: Arc::default(),
        registries: Arc::default(),
        packs: Arc::default(),
        turns: Arc::new(Turns::new(Pacing::default())),
        shared_storage: Arc::default(),
        recorder: Recorder::new(client, reporter),
        instances: Arc::default(),
        agents: Arc::default(),
        requests: Arc::default(),
        settings: openclaw_render::Settings::default(),
    };
    Watches { reader, context: Arc::new(context), synced: Arc::default() }
}

fn key(name: &str) -> InstanceKey {
    InstanceKey { namespace: "sea".to_owned(), name: name.to_owned() }
}

fn live(name: &str, version: u64) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": "sea", "resourceVersion": version.to_string(),
            "labels": {"app.kubernetes.io/instance": "ada"},
            "ownerReferences": [{"kind": "StatefulSet", "name": "ada", "controller": true}],
        },
        "spec": {}, "data": {"key": version.to_string()},
    })
}

fn item(name: &str, version: u64) -> Item {
    Item::new(&live(name, version).to_string(), None).expect("an object")
}

fn list(sink: &mut impl Sink, names: &[&str], version: u64) {
    sink.begin();
    go_on(sink, names, version);
}

/// The rest of a list.
fn go_on(sink: &mut impl Sink, names: &[&str], version: u64) {
    for name in names {
        let item = item(name, version);
        sink.list(&item);
        sink.see(&item);
    }
    sink.end();
}

/// Objects that are known of the instance.
fn objects(watches: &Watches) -> BTreeSet<String> {
    watches.context.cache.observed(&key("ada")).objects.keys().map(ToString::to_string).collect()
}

/// Who gets a pass.
async fn woken(watches: &Watches) -> BTreeSet<String> {
    // Events within a moment are one piece of news.
    tokio::time::sleep(Duration::from_millis(150)).await;
    let taken = std::iter::from_fn(|| watches.context.queue.take());
    let taken: Vec<InstanceKey> = taken.map(|(key, _)| key).collect();
    for key in &taken {
        watches.context.queue.put_back(
            key,
            crate::memory::Memory::default(),
            Duration::from_hours(1),
        );
    }
    taken.into_iter().map(|key| key.name).collect()
}

#[tokio::test]
async fn instances_that_a_list_does_not_name_are_gone() {
    let watches = watches();
    let mut sink = instances::Instances::new(watches.clone(), Front::Instance, None);
    list(&mut sink, &["ada", "zoe"], 5);
    assert_eq!(watches.context.instances.keys(None), [key("ada"), key("zoe")]);
    assert_eq!(woken(&watches).await, ["ada", "zoe"].map(str::to_owned).into());
    list(&mut sink, &["zoe"], 5);
    assert_eq!(watches.context.instances.keys(None), [key("zoe")]);
    assert_eq!(woken(&watches).await, BTreeSet::new(), "nothing is new");
    sink.see(&item("ada", 7));
    sink.lose(&item("zoe", 8));
    assert_eq!(watches.context.instances.keys(None), [key("ada")]);
    // What comes between lists is not taken for gone by the next one.
    list(&mut sink, &["ada"], 7);
    assert_eq!(watches.context.instances.keys(None), [key("ada")]);
}

#[tokio::test]
async fn what_stands_for_an_instance_keeps_its_place_and_outlives_it() {
    let watches = watches();
    let mut instances = instances::Instances::new(watches.clone(), Front::Instance, None);
    let mut agents = instances::Instances::new(watches.clone(), Front::Agent, None);
    list(&mut agents, &["ada"], 1);
    list(&mut instances, &["ada", "zoe"], 2);
    assert_eq!(watches.context.instances.keys(None), [key("ada"), key("zoe")]);
    assert_eq!(woken(&watches).await, ["ada", "zoe"].map(str::to_owned).into());
    list(&mut instances, &[], 3);
    assert_eq!(woken(&watches).await, ["ada".to_owned()].into(), "it is made anew");
    assert!(watches.context.agents.texts.has(&key("ada")));
    agents.lose(&item("ada", 4));
    assert_eq!(woken(&watches).await, BTreeSet::new());
    assert!(!watches.context.agents.texts.has(&key("ada")));
}

#[tokio::test]
async fn objects_that_a_list_does_not_name_are_gone_unless_they_were_made_meanwhile() {
    let watches = watches();
    let mut sink = owned::Owned::new(watches.clone(), Kind::Service, None);
    list(&mut sink, &["old", "kept", "written"], 5);
    sink.begin();
    // A pass makes one and changes another after the list was read.
    watches.context.cache.put(Kind::Service, &live("new", 6));
    watches.context.cache.put(Kind::Service, &live("written", 7));
    go_on(&mut sink, &["kept"], 5);
    let left = ["Service/kept", "Service/new", "Service/written"].map(str::to_owned);
    assert_eq!(objects(&watches), left.into());
    sink.lose(&item("kept", 8));
    let left = ["Service/new", "Service/written"].map(str::to_owned);
    assert_eq!(objects(&watches), left.into());
}

/// As after the restore of a backup of etcd.
#[tokio::test]
async fn a_list_of_lower_versions_is_believed_unless_an_object_was_written_meanwhile() {
    let watches = watches();
    let mut sink = owned::Owned::new(watches.clone(), Kind::Service, None);
    list(&mut sink, &["set-back", "written"], 50);
    sink.begin();
    watches.context.cache.put(Kind::Service, &live("written", 60));
    go_on(&mut sink, &["set-back", "written"], 7);
    let known = watches.context.cache.versions(Kind::Service, None);
    let version = |name: &str| known.get(&("sea".to_owned(), name.to_owned())).copied();
    assert_eq!((version("set-back"), version("written")), (Some(7), Some(60)));
}

#[tokio::test]
async fn pods_that_a_list_does_not_name_are_gone() {
    let watches = watches();
    let pods = || {
        let observed = watches.context.cache.observed(&key("ada"));
        let Fact::Known(pods) = observed.pods else { return Vec::new() };
        pods.into_iter().map(|pod| pod.name).collect::<Vec<_>>()
    };
    let mut sink = pods::Pods::new(watches.clone(), Of::Agents, None);
    list(&mut sink, &["ada-0", "ada-1"], 5);
    assert_eq!(pods(), ["ada-0", "ada-1"]);
    list(&mut sink, &["ada-1"], 5);
    assert_eq!(pods(), ["ada-1"]);
    sink.lose(&item("ada-1", 6));
    assert_eq!(pods(), Vec::<String>::new());
}

#[tokio::test]
async fn a_reference_that_appears_changes_or_goes_wakes_whoever_refers_to_it() {
    let watches = watches();
    list(
        &mut instances::Instances::new(watches.clone(), Front::Instance, None),
        &["ada", "zoe"],
        1,
    );
    let reference =
        Reference { kind: Kind::Secret, namespace: "sea".to_owned(), name: "keys".to_owned() };
    woken(&watches).await;
    let mut sink = references::References::new(watches.clone(), Kind::Secret, None);
    // A pass reads it.
    let store = |content, version| {
        let asked = watches.context.cache.expect_content(&key("ada"), &reference);
        watches.context.cache.store_content(&reference, asked, content, version);
    };
    let known = || Fact::Known(Content::Hashes([].into()));
    let ada = || BTreeSet::from(["ada".to_owned()]);
    store(Fact::Absent, 0);
    list(&mut sink, &["keys", "other"], 5);
    assert_eq!(woken(&watches).await, ada());
    store(known(), 5);
    list(&mut sink, &["keys", "other"], 5);
    assert_eq!(woken(&watches).await, BTreeSet::new(), "it is known at that version");
    sink.see(&item("keys", 6));
    assert_eq!(woken(&watches).await, ada());
    store(known(), 6);
    list(&mut sink, &["other"], 7);
    assert_eq!(woken(&watches).await, ada(), "the list does not name it");
}

#[tokio::test]
async fn defaults_that_do_not_decode_leave_the_last_ones_in_force() {
    let watches = watches();
    let registry = || match watches.context.cache.observed(&key("ada")).cluster_defaults {
        Fact::Known(defaults) => defaults.spec.registry.unwrap_or_default(),
        Fact::Absent => "absent".to_owned(),
        Fact::Unknown => "unknown".to_owned(),
    };
    let defaults = |spec: Value| {
        let text = json!({
            "metadata": {"name": "cluster", "resourceVersion": "5"}, "spec": spec,
        });
        Item::new(&text.to_string(), None).expect("an object")
    };
    let mut sink = defaults::sink(watches.clone());
    assert_eq!(registry(), "unknown");
    list(&mut sink, &[], 5);
    assert_eq!(registry(), "absent");
    sink.see(&defaults(json!({"registry": "r.example"})));
    assert_eq!(registry(), "r.example");
    sink.begin();
    let broken = defaults(json!({"registry": {}}));
    sink.list(&broken);
    sink.see(&broken);
    sink.end();
    assert_eq!(registry(), "r.example");
    sink.lose(&broken);
    assert_eq!(registry(), "absent");
}

#[tokio::test]
async fn what_the_operator_waits_for_has_a_name_for_people() {
    let watches = watches();
    let _tasks = watches.start(&[Some("sea".to_owned())]);
    let missing = watches.synced.missing();
    let always = Kind::ALL.iter().filter(|kind| kind.project().is_none()).count();
    assert_eq!(missing.len(), always + 7, "nobody waits for a kind that a cluster may lack");
    for name in
        ["OpenClawInstance of sea", "Service of sea", "Pod of sea", "Secret metadata of sea"]
    {
        assert!(missing.iter().any(|each| each == name), "{name}: {missing:?}");
    }
    let _tasks = watches.start(&[None]);
    let missing = watches.synced.missing();
    assert!(missing.iter().any(|each| each == "OpenClawClusterDefaults"), "{missing:?}");
}

/// Of kinds that come and go, what the cluster says at the moment.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    NoSuchKind,
    Forbidden,
    OneObject,
}

/// Watches of a cluster that says what is sent last, and the number of requests so far.
fn moody() -> (Watches, tokio::sync::watch::Sender<Says>, Arc<std::sync::atomic::AtomicUsize>) {
    let (sender, receiver) = tokio::sync::watch::channel(Says::NoSuchKind);
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let service = tower::service_fn(move |request: Request<Body>| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut says = receiver.clone();
        async move {
            let now = *says.borrow_and_update();
            let is_watch = request.uri().query().unwrap_or_default().contains("watch=true");
            let status = |code: u16| {
                let status = json!({"kind": "Status", "status": "Failure", "code": code,
                                    "message": "no", "reason": "no"});
                Response::builder().status(code).body(Body::from(status.to_string().into_bytes()))
            };
            let answer = match now {
                Says::NoSuchKind => status(404),
                Says::Forbidden => status(403),
                Says::OneObject if is_watch => {
                    // It ends as soon as something else is said.
                    let _ = says.changed().await;
                    Ok(Response::new(Body::empty()))
                }
                Says::OneObject => {
                    let list =
                        json!({"metadata": {"resourceVersion": "9"}, "items": [live("ada", 8)]});
                    Ok(Response::new(Body::from(list.to_string().into_bytes())))
                }
            };
            Ok::<_, Infallible>(answer.expect("a response"))
        }
    });
    (asking(Client::new(service, "default")), sender, asked)
}

#[tokio::test(start_paused = true)]
async fn kinds_of_other_projects_come_and_go_and_nobody_waits_for_them() {
    let (watches, says, asked) = moody();
    let kind = Kind::ServiceMonitor;
    let ours = Selection::default();
    let (_, feed) = watches.feed(kind.into(), None, ours);
    let optional = optional::Optional::new(watches.clone(), kind.as_str(), None).of(kind);
    let sink = owned::Owned::new(watches.clone(), kind, None);
    let task = tokio::spawn(optional.run(feed, sink));
    let known = || watches.context.cache.observed(&key("ada")).kinds.get(&kind).cloned();
    let until = async |fact: Fact<()>| {
        while known() != Some(fact.clone()) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    assert_eq!(known(), None, "it has not been looked for");
    until(Fact::Absent).await;
    assert_eq!(watches.synced.missing(), Vec::<String>::new());

    // At rest it is looked for at long intervals.
    tokio::time::sleep(Duration::from_hours(1)).await;
    let requests = asked.load(std::sync::atomic::Ordering::Relaxed);
    assert!((30..45).contains(&requests), "{requests} requests in an hour");

    says.send_replace(Says::OneObject);
    until(Fact::Known(())).await;
    let there = BTreeSet::from(["ServiceMonitor/ada".to_owned()]);
    assert_eq!(objects(&watches), there);

    // Who may not look does not know that it is gone.
    says.send_replace(Says::Forbidden);
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!((known(), objects(&watches)), (Some(Fact::Known(())), there));

    says.send_replace(Says::NoSuchKind);
    until(Fact::Absent).await;
    assert_eq!(objects(&watches), BTreeSet::new());
    task.abort();
}

#[tokio::test]
async fn a_kind_is_known_to_those_for_whom_it_was_looked_for() {
    let watches = watches();
    let cache = &watches.context.cache;
    let kind = Kind::PrometheusRule;
    assert!(cache.set_kind(kind, Some("sea"), Fact::Absent));
    assert!(!cache.set_kind(kind, Some("sea"), Fact::Absent), "that is no news");
    let elsewhere = InstanceKey { namespace: "land".to_owned(), name: "ada".to_owned() };
    assert_eq!(cache.observed(&elsewhere).kinds.get(&kind), None);
    assert_eq!(cache.observed(&key("ada")).kinds.get(&kind), Some(&Fact::Absent));
}
