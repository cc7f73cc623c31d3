//! The client against a registry that pages, asks for tokens, refuses and lies.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap as Headers;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::*;

/// How the stand-in behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Pages,
    AsksForToken,
    WantsLogin,
    TooOften,
    Breaks,
    Null,
    NoJson,
    TooLong,
    Elsewhere,
    Endless,
    Gone,
}

async fn tags(
    State((manner, host)): State<(Manner, Arc<str>)>,
    RawQuery(query): RawQuery,
    headers: Headers,
) -> Response {
    let list = |tags: &[&str]| serde_json::json!({"name": "x", "tags": tags}).to_string();
    let next = |url: String, tags: &[&str]| {
        ([("link", format!("<{url}>; rel=\"next\""))], list(tags)).into_response()
    };
    let all = ["2026.9.6", "latest", "2026.9.7", "2026.9.8-slim", "2026.10.1-beta.1"];
    let query = query.unwrap_or_default();
    let behind = query.split_once("last=").map(|(_, last)| last);
    match manner {
        Manner::AsksForToken if headers.get("authorization").is_none_or(|it| it != "Bearer t") => {
            let realm = format!("Bearer realm=\"http://{host}/token\",service=\"stand-in\"");
            (StatusCode::UNAUTHORIZED, [("www-authenticate", realm)]).into_response()
        }
        Manner::WantsLogin => {
            (StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic realm=\"x\"")]).into_response()
        }
        Manner::TooOften => {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "120")]).into_response()
        }
        Manner::Breaks => StatusCode::BAD_GATEWAY.into_response(),
        Manner::Gone => StatusCode::NOT_FOUND.into_response(),
        Manner::Null => "{\"tags\": null}".into_response(),
        Manner::NoJson => "<html>".into_response(),
        Manner::TooLong => "x".repeat(LONGEST_ANSWER + 1).into_response(),
        Manner::Elsewhere => next("http://192.0.2.1/v2/a/x/tags/list?n=0".to_owned(), &all),
        Manner::Endless => next("/v2/a/x/tags/list?n=0&last=a".to_owned(), &all),
        // GHCR writes `n=0`, and others the whole address.
        Manner::Pages | Manner::AsksForToken if behind.is_none() => {
            next("/v2/a/x/tags/list?n=0&last=a".to_owned(), &all[..2])
        }
        Manner::Pages | Manner::AsksForToken if behind == Some("a") => {
            next(format!("http://{host}/v2/a/x/tags/list?n=0&last=b"), &all[2..4])
        }
        Manner::Pages | Manner::AsksForToken => list(&all[4..]).into_response(),
    }
}

async fn asked(manner: Manner) -> Result<Vec<String>, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host: Arc<str> = listener.local_addr().expect("an address").to_string().into();
    let token = || async { "{\"token\": \"t\"}" };
    let router = Router::new()
        .route("/v2/a/x/tags/list", get(tags))
        .route("/token", get(token))
        .with_state((manner, Arc::clone(&host)));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let found = RegistryClient::speaking("http").releases(&format!("{host}/a/x")).await;
    server.abort();
    found.map(|found| found.into_iter().collect()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn all_pages_are_read_with_and_without_a_token() {
    let all = ["2026.9.6", "2026.9.7", "2026.9.8-slim"].map(str::to_owned).to_vec();
    assert_eq!(asked(Manner::Pages).await, Ok(all.clone()));
    assert_eq!(asked(Manner::AsksForToken).await, Ok(all));
    assert_eq!(asked(Manner::Null).await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_is_no_list_of_tags_is_a_failure_and_never_an_empty_list() {
    for (manner, says) in [
        (Manner::WantsLogin, "login"),
        (Manner::TooOften, "left alone for 120 s"),
        (Manner::Breaks, "502"),
        (Manner::Gone, "404"),
        (Manner::NoJson, "no JSON"),
        (Manner::TooLong, "too long"),
        (Manner::Elsewhere, "elsewhere"),
        (Manner::Endless, "no end"),
    ] {
        let failure = asked(manner).await.expect_err("a failure");
        assert!(failure.contains(says), "{manner:?}: {failure}");
    }
}

#[tokio::test]
async fn a_registry_is_spoken_to_over_tls_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move { axum::serve(listener, Router::new()).await });
    let found = RegistryClient::new().releases(&format!("{host}/a/x")).await;
    server.abort();
    assert!(matches!(found, Err(LookError::Reach(_))), "{found:?}");
}

#[test]
fn an_image_without_a_host_is_on_docker_hub() {
    let found = |name| place(name).map(|(host, path)| format!("{host} {path}"));
    for (name, expected) in [
        ("ghcr.io/openclaw/openclaw", Some("ghcr.io openclaw/openclaw")),
        ("localhost:5000/x", Some("localhost:5000 x")),
        ("openclaw/openclaw", Some("registry-1.docker.io openclaw/openclaw")),
        ("docker.io/openclaw/openclaw", Some("registry-1.docker.io openclaw/openclaw")),
        ("nginx", Some("registry-1.docker.io library/nginx")),
        ("ghcr.io/", None),
        ("ghcr.io/a?b=c", None),
        ("user@ghcr.io/a", None),
    ] {
        assert_eq!(found(name).as_deref(), expected, "{name}");
    }
}
