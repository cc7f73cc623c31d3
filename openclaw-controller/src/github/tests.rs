//! [`GitHub`] against a server on loopback that answers as told.

use std::sync::{Arc, Mutex};

use http::Response;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use openclaw_render::packs::PackFile;
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Path and query, and the token that came with it.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;
type Server = Box<dyn Fn(&str) -> Answer + Send + Sync>;
type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// A stand-in for the API.
async fn serve(
    answer: impl Fn(&str, &Request<Incoming>) -> Answer + Clone + Send + Sync + 'static,
) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Asked::default();
    let kept = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let (answer, kept) = (answer.clone(), Arc::clone(&kept));
            let service = service_fn(move |request: Request<Incoming>| {
                let path = request.uri().to_string();
                let token = request.headers().get(AUTHORIZATION);
                let token = token.map(|token| token.to_str().expect("text").to_owned());
                assert_eq!(request.headers()[USER_AGENT], "openclaw-operator");
                kept.lock().expect("a list").push((path.clone(), token));
                let (status, headers, body) = answer(&path, &request);
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                let response = response.body(Full::new(Bytes::from(body)));
                async move { response }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (base, asked)
}

fn ok(body: impl Into<Vec<u8>>) -> Answer {
    (200, Vec::new(), body.into())
}

fn missing() -> Answer {
    (404, Vec::new(), br#"{"message": "Not Found"}"#.to_vec())
}

fn file(bytes: &[u8]) -> Answer {
    let mut text = serde_json::to_value(ByteString(bytes.to_vec())).expect("JSON");
    // GitHub breaks lines.
    text =
        json!(text.as_str().expect("a text").chars().flat_map(|c| [c, '\n']).collect::<String>());
    ok(json!({"type": "file", "encoding": "base64", "content": text}).to_string())
}

/// A repository with a pack by its manifest, and a folder with a skill.
fn repository(path: &str) -> Answer {
    match path {
        "/repos/o/r/commits/main" | "/repos/o/r/commits/HEAD" | "/repos/o/r/commits/feature/x" => {
            (200, vec![("etag", "\"tag\"".to_owned())], format!("{COMMIT}\n").into_bytes())
        }
        "/repos/o/r/contents/pack/skillpack.json?ref=0123456789abcdef0123456789abcdef01234567" => {
            file(
                json!({"files": {"skills/a/SKILL.md": "my skill.md"}, "config": {"a": {}}})
                    .to_string()
                    .as_bytes(),
            )
        }
        "/repos/o/r/contents/pack/my%20skill.md?ref=0123456789abcdef0123456789abcdef01234567"
        | "/repos/o/r/contents/raw/SKILL.md?ref=0123456789abcdef0123456789abcdef01234567" => {
            file(b"Draw.\n")
        }
        "/repos/o/r/contents/raw/icon.png?ref=0123456789abcdef0123456789abcdef01234567" => {
            file(&[0xff, 0xfe])
        }
        "/repos/o/r/git/trees/0123456789abcdef0123456789abcdef01234567?recursive=1" => ok(json!({
            "truncated": false,
            "tree": [
                {"path": "raw/SKILL.md", "type": "blob", "mode": "100644", "size": 6},
                {"path": "raw/icon.png", "type": "blob", "mode": "100644", "size": 2},
                {"path": "other/x", "type": "blob", "mode": "100644", "size": 2},
            ],
        })
        .to_string()),
        _ => missing(),
    }
}

async fn fetch(base: &str, text: &str) -> Result<Found, Failure> {
    let github = GitHub::new(base, None);
    github.fetch(&reference(text), &Known::default()).await
}

fn reference(text: &str) -> PackReference {
    PackReference::parse(text).expect("a reference")
}

#[tokio::test]
async fn a_pack_is_fetched_by_its_manifest_or_by_its_folder_from_one_commit() {
    let (base, asked) = serve(|path, _| repository(path)).await;
    let pack = fetch(&base, "o/r/pack@main").await.expect("a pack").pack.expect("its content");
    let text = PackFile::Text("Draw.\n".to_owned());
    assert_eq!((&pack.files["skills/a/SKILL.md"], &*pack.commit), (&text, COMMIT));
    let pack = fetch(&base, "o/r/raw@feature/x").await.expect("a pack").pack.expect("its content");
    assert_eq!(pack.files["skills/raw/SKILL.md"], text);
    let icon = PackFile::Binary(ByteString(vec![0xff, 0xfe]));
    assert_eq!((pack.files["skills/raw/icon.png"].clone(), pack.files.len()), (icon, 2));
    let asked = asked.lock().expect("a list");
    let fixed = asked.iter().filter(|(path, _)| path.contains(COMMIT)).count();
    assert_eq!(asked.len(), fixed + 2, "{asked:?}");
}

#[tokio::test]
async fn a_commit_that_is_known_costs_one_request() {
    let (base, asked) = serve(|path, request| {
        if request.headers().contains_key(IF_NONE_MATCH) {
            return (304, Vec::new(), Vec::new());
        }
        repository(path)
    })
    .await;
    let github = GitHub::new(&base, None);
    let first = github.fetch(&reference("o/r/raw"), &Known::default()).await.expect("a pack");
    let known = Known { commit: Some(first.commit), tag: first.tag.clone(), wants_content: false };
    asked.lock().expect("a list").clear();
    let second = github.fetch(&reference("o/r/raw"), &known).await.expect("nothing new");
    assert_eq!((second.pack, second.tag), (None, first.tag));
    assert_eq!(asked.lock().expect("a list").len(), 1);
}

#[tokio::test]
async fn the_token_goes_only_to_the_repositories_that_it_is_meant_for() {
    let (base, asked) = serve(|path, _| repository(path)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "secret\n").expect("a file");
    let token = Token { file, repositories: vec!["o/r".to_owned()] };
    let github = GitHub::new(&base, Some(token));
    for text in ["o/r/raw", "o/other/raw", "other/r/raw"] {
        let _ = github.fetch(&reference(text), &Known::default()).await;
    }
    for (path, token) in asked.lock().expect("a list").iter() {
        let is_meant = path.starts_with("/repos/o/r/");
        assert_eq!(token.as_deref(), is_meant.then_some("Bearer secret"), "{path}");
    }
}

#[tokio::test]
async fn what_a_server_may_do_is_told_in_the_same_words_each_time() {
    let limit = || {
        let headers = vec![
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", "99999999999".to_owned()),
        ];
        (403, headers, Vec::new())
    };
    let truncated = |path: &str| {
        if path.contains("/git/trees/") {
            return ok(json!({"truncated": true, "tree": []}).to_string());
        }
        repository(path)
    };
    let huge = |path: &str| {
        if path.contains("/contents/raw/SKILL.md") {
            return ok(vec![b'x'; 4 << 20]);
        }
        repository(path)
    };
    let link = |path: &str| {
        if path.contains("/contents/raw/SKILL.md") {
            return ok(json!({"type": "symlink", "target": "/etc/passwd"}).to_string());
        }
        repository(path)
    };
    let cases: [(&str, Server); 9] = [
        ("is not there", Box::new(|_| missing())),
        ("takes no more requests for now", Box::new(move |_| limit())),
        ("refuses the operator's token", Box::new(|_| (401, Vec::new(), Vec::new()))),
        (
            "has moved",
            Box::new(|_| (301, vec![("location", "http://127.0.0.1:1/".to_owned())], Vec::new())),
        ),
        ("GitHub answered 502", Box::new(|_| (502, Vec::new(), Vec::new()))),
        ("names no commit", Box::new(|_| ok("main"))),
        ("too large to be listed", Box::new(truncated)),
        ("is too large", Box::new(huge)),
        ("that is no file", Box::new(link)),
    ];
    for (words, server) in cases {
        let server = Arc::new(server);
        let (base, _) = serve(move |path, _| server(path)).await;
        let failure = fetch(&base, "o/r/raw").await.expect_err(words);
        assert!(failure.words.contains(words), "{words}: {failure:?}");
        assert!(!failure.words.contains("127.0.0.1"), "{failure:?}");
        let pause = words.contains("requests").then_some(LONGEST_PAUSE);
        assert_eq!(failure.pause, pause, "{words}");
    }
    let failure = fetch("http://127.0.0.1:1", "o/r/raw").await.expect_err("nobody");
    assert!(failure.words.contains("cannot be reached"), "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let failure = fetch(&base, "o/r/raw").await.expect_err("silence");
    assert!(failure.words.contains("did not answer in time"), "{failure:?}");
    drop(listener);
}
