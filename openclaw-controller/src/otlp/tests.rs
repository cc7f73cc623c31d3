//! A [`Pusher`] against servers on loopback: a collector that reads what it is sent, and worse ones.

use std::sync::{Arc, Mutex};

use http::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

/// What a collector was sent: path, value of header `x-key`, points by the name of their metric.
#[derive(Debug, Default)]
struct Taken {
    requests: Vec<(String, Option<String>)>,
    points: std::collections::BTreeMap<String, usize>,
}

/// A collector that answers as told, by the number of the request.
async fn collector(
    answer: impl Fn(usize) -> (u16, String) + Clone + Send + Sync + 'static,
) -> (String, Arc<Mutex<Taken>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let taken = Arc::new(Mutex::new(Taken::default()));
    let kept = Arc::clone(&taken);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let (answer, kept) = (answer.clone(), Arc::clone(&kept));
            let service = service_fn(move |request: Request<Incoming>| {
                let (answer, kept) = (answer.clone(), Arc::clone(&kept));
                async move {
                    let (head, body) = request.into_parts();
                    assert_eq!(head.headers[CONTENT_TYPE], "application/json");
                    let body = body.collect().await.expect("a body").to_bytes();
                    let said: Value = serde_json::from_slice(&body).expect("JSON");
                    let number = note(&kept, &head, &said);
                    let (status, body) = answer(number);
                    let mut response = Response::builder().status(status);
                    if status == 302 {
                        response = response.header("location", "/elsewhere");
                    }
                    response.body(Full::new(Bytes::from(body)))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (base, taken)
}

fn note(kept: &Mutex<Taken>, head: &http::request::Parts, said: &Value) -> usize {
    let mut kept = kept.lock().expect("a list");
    let key = head.headers.get("x-key").map(|key| key.to_str().expect("text").to_owned());
    kept.requests.push((head.uri.to_string(), key));
    let of = &said["resourceMetrics"][0];
    let name = json!({"key": "service.name", "value": {"stringValue": "openclaw-operator"}});
    assert_eq!(of["resource"]["attributes"][0], name);
    for metric in of["scopeMetrics"][0]["metrics"].as_array().expect("metrics") {
        let data = ["sum", "gauge", "histogram"].iter().find_map(|shape| metric.get(shape));
        let points = data.expect("a shape")["dataPoints"].as_array().expect("points").len();
        *kept.points.entry(metric["name"].as_str().expect("a name").to_owned()).or_default() +=
            points;
    }
    kept.requests.len() - 1
}

fn pusher(base: &str, timeout: Duration) -> Pusher {
    let destination = Destination {
        endpoint: Endpoint::of_all(base, true).expect("an endpoint"),
        headers: "x-key=secret".parse().expect("headers"),
        timeout,
    };
    Pusher::new(destination).expect("certificates")
}

const PATIENT: Duration = Duration::from_mins(1);

fn yes(_: usize) -> (u16, String) {
    (200, "{}".to_owned())
}

/// More agents than one request has room for.
fn many() -> (Metrics, usize) {
    let metrics = Metrics::new();
    let count = 2 * payload::MOST_POINTS;
    for number in 0..count {
        let name = format!("agent-{number}");
        let key = crate::live::InstanceKey { namespace: "agents".to_owned(), name };
        metrics.know(&key);
        metrics.passed(&key, Duration::from_millis(3), None);
    }
    (metrics, count)
}

#[tokio::test]
async fn a_collector_gets_every_series_of_the_metrics_in_requests_of_bounded_size() {
    let (base, taken) = collector(yes).await;
    let (metrics, count) = many();
    let text = metrics.encode(&Now::default());
    pusher(&base, PATIENT).push(&text).await.expect("it is taken");
    let taken = taken.lock().expect("a list");
    assert!(taken.requests.len() > 3, "{}", taken.requests.len());
    let expected = ("/v1/metrics".to_owned(), Some("secret".to_owned()));
    assert!(taken.requests.iter().all(|request| *request == expected), "{:?}", taken.requests);
    assert_eq!(taken.points.get("openclaw_reconcile_total"), Some(&count));
    assert_eq!(taken.points.get("openclaw_reconcile_duration_seconds"), Some(&count));
    assert_eq!(taken.points.get("openclaw_managed_instances"), Some(&1));
    // Nothing of `/metrics` is left out.
    for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).expect("a name");
        let has_series = text.lines().any(|line| !line.starts_with('#') && line.starts_with(name));
        let is_there = taken.points.keys().any(|taken| taken.starts_with(name));
        assert_eq!(is_there, has_series, "{name}");
    }
}

#[tokio::test]
async fn a_collector_that_does_not_take_it_is_a_failure_with_its_reason() {
    let text = Metrics::new().encode(&Now::default());
    let failed = async |answer: (u16, String)| {
        let (base, taken) = collector(move |_| answer.clone()).await;
        let failed = pusher(&base, PATIENT).push(&text).await.expect_err("it fails");
        assert_eq!(taken.lock().expect("a list").requests.len(), 1, "nothing is sent twice");
        chain(&failed)
    };
    let said = failed((503, "come back later".to_owned())).await;
    assert!(said.contains("503") && said.contains("come back later"), "{said}");
    assert!(failed((302, String::new())).await.contains("302"));
    let said = failed((400, "x".repeat(1 << 20))).await;
    assert!(said.len() < 1000, "{}", said.len());
    let partial = r#"{"partialSuccess": {"rejectedDataPoints": "3", "errorMessage": "too old"}}"#;
    assert!(failed((200, partial.to_owned())).await.contains("too old"));
}

#[tokio::test]
async fn a_warning_of_a_collector_and_an_answer_that_is_no_json_are_no_failure() {
    for answer in [r#"{"partialSuccess": {"errorMessage": "use gzip"}}"#, "", "ok"] {
        let (base, _) = collector(move |_| (200, answer.to_owned())).await;
        let text = Metrics::new().encode(&Now::default());
        pusher(&base, PATIENT).push(&text).await.expect(answer);
    }
}

#[tokio::test]
async fn nobody_and_somebody_who_never_answers_are_failures() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let text = Metrics::new().encode(&Now::default());
    // The kernel takes the connection, and nobody reads from it.
    let slow = pusher(&base, Duration::from_millis(50)).push(&text).await;
    assert!(matches!(slow, Err(PushError::TimedOut(_))), "{slow:?}");
    drop(listener);
    let nobody = pusher(&base, PATIENT).push(&text).await;
    assert!(matches!(nobody, Err(PushError::Reach(_))), "{nobody:?}");
}

#[tokio::test]
async fn pushes_go_on_after_failures_and_are_counted() {
    let (base, _) =
        collector(|number| if number < 2 { (500, String::new()) } else { yes(number) }).await;
    let metrics = Arc::new(Metrics::new());
    let pushing = Arc::clone(&metrics);
    let pusher = Pusher { every: Duration::from_millis(1), ..pusher(&base, PATIENT) };
    let task = tokio::spawn(async move { pusher.push_all(&pushing, Now::default).await });
    let counted = |result: &str| {
        let text = metrics.encode(&Now::default());
        let series = format!("openclaw_metrics_pushes_total{{result=\"{result}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&series)?.parse::<u64>().ok()).unwrap_or(0)
    };
    let patience = async {
        while counted("success") < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENT, patience).await.expect("it succeeds in the end");
    assert_eq!(counted("failed"), 2);
    task.abort();
}

#[tokio::test]
async fn what_came_of_a_push_is_said_once_until_it_changes() {
    let mut pusher = pusher("127.0.0.1:9", PATIENT);
    let said = [true, true, false, false, true].map(|succeeded| pusher.is_news(succeeded));
    assert_eq!(said, [true, false, true, false, true]);
}
