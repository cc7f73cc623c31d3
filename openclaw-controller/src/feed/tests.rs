//! Feeds from a server of which every byte is decided here.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use http::{Request as HttpRequest, Response};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use kube::Client;
use kube::client::Body;
use proptest::prelude::*;

use super::*;
use crate::cluster::INSTANCES;

/// Bytes of a piece of an answer, as a network delivers it.
const PIECE: usize = 64 << 10;

type Query = BTreeMap<String, String>;

fn query(request: &HttpRequest<Body>) -> Query {
    let query = request.uri().query().unwrap_or_default().split('&');
    query
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A feed from a server that answers like this, and then never ends.
fn feed(answer: impl Fn(&Query) -> String + Clone + Send + Sync + 'static) -> Feed {
    let service = tower::service_fn(move |request: HttpRequest<Body>| {
        let answer = answer.clone();
        async move {
            let query = query(&request);
            let text = answer(&query);
            let pieces: Vec<_> = text
                .as_bytes()
                .chunks(PIECE)
                .map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(piece))))
                .collect();
            let open = query.contains_key("watch") && !text.ends_with("THE END");
            let rest =
                if open { stream::pending().left_stream() } else { stream::empty().right_stream() };
            let body = StreamBody::new(stream::iter(pieces).chain(rest));
            Ok::<_, Infallible>(Response::new(body))
        }
    });
    Feed {
        reader: Reader::new(Client::new(service, "default")),
        path: INSTANCES.path(None),
        labels: None,
        fields: None,
        metadata_only: false,
    }
}

fn object(name: &str, version: u64, rest: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"sea","resourceVersion":"{version}"}}{rest}}}"#
    )
}

fn list(items: &[String], token: &str) -> String {
    format!(
        r#"{{"kind":"List","metadata":{{"resourceVersion":"7","continue":"{token}"}},"items":[{}]}}"#,
        items.join(",")
    )
}

/// What an API server says to a list of these objects.
fn paged(objects: &[String], query: &Query) -> String {
    let from: usize = query.get("continue").map_or(0, |token| token.parse().expect("ours"));
    let limit: usize = query["limit"].parse().expect("a number");
    let to = objects.len().min(from + limit);
    let token = if to < objects.len() { to.to_string() } else { String::new() };
    list(&objects[from..to], &token)
}

/// What comes, in short: `+` for what is listed, `*` for what changed.
async fn story(feed: Feed, length: usize) -> Vec<String> {
    let told = feed.steps().map(|event| match event {
        Ok(Event::Init) => "begin".to_owned(),
        Ok(Event::InitApply(item)) => format!("+{}", item.name),
        Ok(Event::InitDone) => "listed".to_owned(),
        Ok(Event::Apply(item)) => format!("*{} {}", item.name, item.version),
        Ok(Event::Delete(item)) => format!("-{}", item.name),
        Err(error) => format!("! {error}"),
    });
    told.take(length).collect().await
}

#[tokio::test]
async fn what_is_in_one_object_keeps_no_other_from_coming() {
    let deep = format!(r#","spec":{}1{}"#, "[".repeat(9000), "]".repeat(9000));
    let odd = r#","spec":{"metadata":[],"a":1e400,"b":"\ud800","items":"}]"}"#;
    let objects =
        [object("ada", 1, ""), object("bea", 2, &deep), object("cy", 3, odd), object("di", 4, "")];
    let events = [object("bea", 5, &deep), object("cy", 6, odd)]
        .map(|object| format!("{{\"type\":\"MODIFIED\",\"object\":{object}}}\n"));
    let answer = move |query: &Query| match query.get("watch") {
        Some(_) => events.concat(),
        None => list(&objects, ""),
    };
    let told = story(feed(answer), 8).await;
    assert_eq!(told, ["begin", "+ada", "+bea", "+cy", "+di", "listed", "*bea 5", "*cy 6"]);
}

#[tokio::test]
async fn a_watch_goes_on_from_what_it_saw_last() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let answer = move |query: &Query| {
        let Some(version) = query.get("watch").map(|_| query["resourceVersion"].clone()) else {
            return list(&[], "");
        };
        seen.lock().expect("no panic").push(version.clone());
        let event =
            |kind: &str, object: &str| format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n");
        match version.as_str() {
            // The second event is cut off in the middle.
            "7" => event("ADDED", &object("ada", 8, "")) + r#"{"type":"ADDED","obTHE END"#,
            "8" => {
                event("DELETED", &object("ada", 9, ""))
                    + &event("BOOKMARK", &object("", 12, ""))
                    + "THE END"
            }
            _ => event("ERROR", r#"{"code":410,"message":"too old","status":"Failure"}"#),
        }
    };
    let told = story(feed(answer), 9).await;
    assert_eq!(
        told,
        [
            "begin",
            "listed",
            "*ada 8",
            "! it ended within 1 s",
            "-ada",
            "! it ended within 1 s",
            "! the API server says: too old",
            "begin",
            "listed",
        ]
    );
    assert_eq!(*asked.lock().expect("no panic"), ["7", "8", "12"]);
}

#[tokio::test]
async fn what_is_no_list_and_no_event_is_a_failure_and_not_an_end() {
    let told = story(feed(|_| "[]".to_owned()), 3).await;
    assert_eq!(told, ["begin", "! the answer is no list", "begin"]);
    let answer = |query: &Query| match query.get("watch") {
        Some(_) => "what?\n".to_owned(),
        None => list(&[], ""),
    };
    let told = story(feed(answer), 3).await;
    assert_eq!(told, ["begin", "listed", "! the answer is no event"]);
}

#[tokio::test]
async fn an_answer_without_an_end_is_given_up() {
    let text = Arc::new("x".repeat(LONGEST + 1));
    let told = story(feed(move |_| text.as_str().to_owned()), 2).await;
    assert_eq!(told, ["begin", "! the answer is longer than 16777216 bytes"]);
}

#[tokio::test]
async fn few_long_answers_are_in_memory_at_a_time() {
    let feed = feed(|query| {
        let size = if query["limit"] == "1" { 1 << 20 } else { 1000 };
        list(&[object("ada", 1, &format!(r#","spec":"{}""#, "x".repeat(size)))], "")
    });
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(feed.list(None, 1).await.expect("a page"));
    }
    let mut third = std::pin::pin!(feed.list(None, 1));
    assert!(futures::poll!(&mut third).is_pending());
    assert_eq!(feed.list(None, 2).await.expect("a short page").items.len(), 1);
    assert!(futures::poll!(&mut third).is_pending());
    held.pop();
    assert_eq!(third.await.expect("a page").items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_in_the_middle_of_a_long_answer_loses_its_turn() {
    let feed = feed(|query| match query.get("watch") {
        Some(_) => "x".repeat(1 << 20),
        None => list(&[object("ada", 1, &format!(r#","x":"{}""#, "x".repeat(1 << 20)))], ""),
    });
    let line = async || {
        let mut lines = feed.connect("1").await.expect("a watch");
        feed.reader.line(&mut lines).await.map(drop)
    };
    let (first, second, page) = futures::join!(line(), line(), feed.list(None, 1));
    assert!(matches!((first, second), (Err(ReadError::Broken(_)), Err(ReadError::Broken(_)))));
    assert_eq!(page.expect("a page").items.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

    /// Small ones before large ones and the other way round.
    #[test]
    fn pages_are_bounded_by_their_size_and_nothing_is_left_out(
        runs in prop::collection::vec((1..60_usize, prop::sample::select(vec![10, 1000, 40_000, 400_000, 2_000_000])), 1..5),
    ) {
        let mut objects = Vec::new();
        for (count, size) in runs {
            // A large one costs the test more than it shows.
            for _ in 0..count.min(12_000_000 / size) {
                let mut rest = String::from(r#","spec":""#);
                let _ = write!(rest, "{}\"", "x".repeat(size));
                objects.push(object(&format!("agent-{}", objects.len()), 1, &rest));
            }
        }
        let names: Vec<String> = (0..objects.len()).map(|index| format!("agent-{index}")).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (mut found, mut most) = (Vec::new(), 0);
        runtime.block_on(async {
            let feed = feed(move |query| paged(&objects, query));
            let (mut token, mut limit) = (None, FIRST_PAGE);
            loop {
                let (events, next) = feed.next_page(token, limit).await;
                let mut bytes = 0;
                for event in events {
                    if let Ok(Event::InitApply(item)) = event {
                        bytes += item.text.len();
                        found.push(item.name);
                    }
                }
                if limit > 1 {
                    most = most.max(bytes);
                }
                let State::Page { token: after, limit: then } = next else { break };
                (token, limit) = (after, then);
            }
        });
        prop_assert_eq!(found, names);
        prop_assert!(most <= PAGE_BYTES);
    }
}
