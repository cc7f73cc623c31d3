//! Fetches skill packs from the API of GitHub.
//!
//! Whoever owns a repository is a stranger, and so may be the server: every answer is bounded in
//! time and bytes, no redirect is followed, and the token goes only to the repositories that it is
//! meant for. What is said of a failure is the same each time: it ends in a condition.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{
    ACCEPT, AUTHORIZATION, ETAG, HeaderMap, IF_NONE_MATCH, RETRY_AFTER, USER_AGENT,
};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use k8s_openapi::ByteString;
use openclaw_render::packs::{LARGEST_FILE, LARGEST_PACK, Layout, Pack, PackReference, is_commit};
use serde::Deserialize;
use serde_json::Value;
use tracing::{debug, warn};

use crate::error::chain;

/// How long one answer may take, and all of those for a pack.
const ANSWER: Duration = Duration::from_secs(20);
const DEADLINE: Duration = Duration::from_secs(90);
/// The name of a commit.
const SHORT: usize = 4 * 1024;
/// A file of the largest size in Base64, with line breaks and what is around it.
const FILE: usize = LARGEST_FILE / 3 * 4 + 64 * 1024;
/// The list of a large repository. A pack in a larger one needs a manifest.
const TREE: usize = 4 * 1024 * 1024;
/// Longest pause that is taken on the word of the server.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// Longest entity tag that is kept.
const LONGEST_TAG: usize = 256;
/// Largest token that is read.
const LARGEST_TOKEN: usize = 4096;

const JSON: &str = "application/vnd.github+json";
const COMMIT: &str = "application/vnd.github.sha";
const AGENT: &str = "openclaw-operator";

/// See the module.
#[derive(Clone)]
pub(crate) struct GitHub {
    /// Nothing, if this machine has no certificates to trust.
    http: Option<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>>,
    base: String,
    token: Option<Token>,
}

/// A token, and the repositories that it is meant for.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) file: PathBuf,
    pub(crate) repositories: Vec<String>,
}

/// What is known of a pack before it is fetched.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    pub(crate) commit: Option<String>,
    pub(crate) tag: Option<String>,
    /// Whether its content is wanted even if the commit is the same.
    pub(crate) wants_content: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) commit: String,
    pub(crate) tag: Option<String>,
    /// Nothing if the commit is the one that is known.
    pub(crate) pack: Option<Pack>,
}

/// Why nothing was.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Failure {
    /// What follows the pack's name in a sentence.
    pub(crate) words: String,
    /// How long the server wants to be left alone.
    pub(crate) pause: Option<Duration>,
}

impl Failure {
    fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), pause: None }
    }
}

/// An answer that says yes, or that nothing is new.
struct Answer {
    is_unchanged: bool,
    tag: Option<String>,
    body: Bytes,
}

/// What GitHub says of a file.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Contents {
    #[serde(rename = "type")]
    kind: String,
    encoding: String,
    content: String,
}

impl GitHub {
    pub(crate) fn new(base: &str, token: Option<Token>) -> Self {
        let http = connector().inspect_err(|error| {
            warn!(%error, "no certificates on this machine: no skill pack can be fetched");
        });
        let http = http.ok().map(|connector| {
            let mut builder = Client::builder(TokioExecutor::new());
            builder.pool_max_idle_per_host(4);
            builder.build(connector)
        });
        Self { http, base: base.trim_end_matches('/').to_owned(), token }
    }

    /// Fetches a pack, unless its commit is the one that is known.
    pub(crate) async fn fetch(
        &self,
        reference: &PackReference,
        known: &Known,
    ) -> Result<Found, Failure> {
        let late = |_| Err(Failure::new("could not be fetched: GitHub takes too long"));
        tokio::time::timeout(DEADLINE, self.found(reference, known)).await.unwrap_or_else(late)
    }

    async fn found(&self, reference: &PackReference, known: &Known) -> Result<Found, Failure> {
        let (commit, tag) = self.commit(reference, known).await?;
        if known.commit.as_ref() == Some(&commit) && !known.wants_content {
            return Ok(Found { commit, tag, pack: None });
        }
        let layout = self.layout(reference, &commit).await?;
        let mut contents = BTreeMap::new();
        let mut size = 0;
        for path in layout.files.values() {
            if contents.contains_key(path) {
                continue;
            }
            let bytes = self.file(reference, path, &commit).await?;
            let bytes = bytes.ok_or_else(|| Failure::new(format!("lacks the file {path:?}")))?;
            size += bytes.len();
            // The pack says so itself in the end; no more is fetched for that.
            if size > LARGEST_PACK {
                return Err(Failure::new(format!("holds more than {} KiB", LARGEST_PACK / 1024)));
            }
            contents.insert(path.clone(), bytes);
        }
        let pack = Pack::new(reference, &commit, layout, &contents).map_err(Failure::new)?;
        Ok(Found { commit, tag, pack: Some(pack) })
    }

    /// Returns the commit that is meant, so that everything else comes from one.
    async fn commit(
        &self,
        reference: &PackReference,
        known: &Known,
    ) -> Result<(String, Option<String>), Failure> {
        if reference.is_pinned() {
            return Ok((reference.revision().to_ascii_lowercase(), None));
        }
        let path = format!("commits/{}", escaped(reference.revision()));
        let tag = known.tag.as_deref().filter(|_| known.commit.is_some());
        let answer = self.get(reference, &path, COMMIT, tag, SHORT).await?;
        let answer = answer.ok_or_else(|| {
            Failure::new(
                "is not there: GitHub knows no such repository, branch, tag or commit, or shows it \
                 only to those who have a token for it",
            )
        })?;
        if answer.is_unchanged
            && let Some(commit) = &known.commit
        {
            return Ok((commit.clone(), known.tag.clone()));
        }
        let commit = String::from_utf8_lossy(&answer.body).trim().to_owned();
        if !is_commit(&commit) {
            return Err(Failure::new("could not be fetched: GitHub's answer names no commit"));
        }
        Ok((commit, answer.tag))
    }

    /// Returns what the pack consists of: by its manifest, or by what is in its folder.
    async fn layout(&self, reference: &PackReference, commit: &str) -> Result<Layout, Failure> {
        let manifest = Layout::manifest(reference);
        if let Some(manifest) = self.file(reference, &manifest, commit).await? {
            return Layout::by_manifest(reference, &manifest).map_err(Failure::new);
        }
        let path = format!("git/trees/{commit}?recursive=1");
        let answer = self.get(reference, &path, JSON, None, TREE).await?;
        let answer = answer.ok_or_else(|| Failure::new("is not there: it has no files"))?;
        Layout::by_tree(reference, &answer.body).map_err(Failure::new)
    }

    /// Returns a file's content; nothing if there is none of that path.
    async fn file(
        &self,
        reference: &PackReference,
        path: &str,
        commit: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let address = format!("contents/{}?ref={commit}", escaped(path));
        let Some(answer) = self.get(reference, &address, JSON, None, FILE).await? else {
            return Ok(None);
        };
        let other = || Failure::new(format!("has something at {path:?} that is no file of 1 MB"));
        let Contents { kind, encoding, content } =
            serde_json::from_slice(&answer.body).map_err(|_| other())?;
        if kind != "file" || encoding != "base64" {
            return Err(other());
        }
        let content: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let ByteString(bytes) =
            serde_json::from_value(Value::String(content)).map_err(|_| other())?;
        Ok(Some(bytes))
    }

    /// Asks for something below a repository; nothing if it is not there.
    async fn get(
        &self,
        reference: &PackReference,
        path: &str,
        accept: &'static str,
        tag: Option<&str>,
        limit: usize,
    ) -> Result<Option<Answer>, Failure> {
        let url = format!("{}/repos/{}/{path}", self.base, reference.repository());
        let unreachable = |error: &(dyn std::error::Error + 'static)| {
            debug!(%url, error = %chain(error), "GitHub does not answer");
            Failure::new("could not be fetched: GitHub cannot be reached")
        };
        let mut request = Request::get(&url)
            .header(ACCEPT, accept)
            .header(USER_AGENT, AGENT)
            .body(Empty::new())
            .map_err(|error| unreachable(&error))?;
        if let Some(token) = self.token_for(reference)? {
            request.headers_mut().insert(AUTHORIZATION, token);
        }
        if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(tag).ok()) {
            request.headers_mut().insert(IF_NONE_MATCH, tag);
        }
        let http = self.http.as_ref().ok_or_else(|| {
            Failure::new("could not be fetched: the operator has no certificates to trust")
        })?;
        let exchange = async {
            let response = http.request(request).await.map_err(|error| unreachable(&error))?;
            let (head, body) = response.into_parts();
            if !matches!(head.status, StatusCode::OK | StatusCode::NOT_MODIFIED) {
                return refusal(head.status, &head.headers);
            }
            let body = Limited::new(body, limit).collect().await.map_err(|error| {
                if error.is::<http_body_util::LengthLimitError>() {
                    Failure::new("could not be fetched: an answer of GitHub's is too large")
                } else {
                    unreachable(error.as_ref())
                }
            })?;
            let tag = head.headers.get(ETAG).and_then(|tag| tag.to_str().ok());
            let tag = tag.filter(|tag| tag.len() <= LONGEST_TAG).map(str::to_owned);
            let is_unchanged = head.status == StatusCode::NOT_MODIFIED;
            Ok(Some(Answer { is_unchanged, tag, body: body.to_bytes() }))
        };
        tokio::time::timeout(ANSWER, exchange).await.unwrap_or_else(|_| {
            Err(Failure::new("could not be fetched: GitHub did not answer in time"))
        })
    }

    /// Returns the token, if it is meant for the repository. It is read each time: it may be
    /// another one by now.
    fn token_for(&self, reference: &PackReference) -> Result<Option<HeaderValue>, Failure> {
        let Some(token) = self.token.as_ref() else { return Ok(None) };
        if !token.repositories.iter().any(|line| reference.is_of(line)) {
            return Ok(None);
        }
        let unusable = || Failure::new("could not be fetched: the operator's token cannot be read");
        let text = std::fs::read_to_string(&token.file).map_err(|error| {
            debug!(file = %token.file.display(), %error, "the token cannot be read");
            unusable()
        })?;
        let text = text.trim();
        if text.is_empty() || text.len() > LARGEST_TOKEN {
            return Err(unusable());
        }
        let mut value = HeaderValue::from_str(&format!("Bearer {text}")).map_err(|_| unusable())?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// Trusts what the machine trusts, and speaks plain HTTP where that is asked for.
pub(crate) fn connector() -> std::io::Result<HttpsConnector<HttpConnector>> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(ANSWER));
    let builder = HttpsConnectorBuilder::new().with_native_roots()?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(connector))
}

/// What an answer means that is not a yes.
fn refusal(status: StatusCode, headers: &HeaderMap) -> Result<Option<Answer>, Failure> {
    if status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let number = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).and_then(|it| it.parse().ok())
    };
    let is_limit = status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::FORBIDDEN
            && (headers.contains_key(RETRY_AFTER) || number("x-ratelimit-remaining") == Some(0));
    if is_limit {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let reset = number("x-ratelimit-reset").map(|at: u64| at.saturating_sub(now));
        let pause = number(RETRY_AFTER.as_str()).or(reset).map(Duration::from_secs);
        return Err(Failure {
            words: "could not be fetched: GitHub takes no more requests for now; a token for the \
                    operator raises its limit"
                .to_owned(),
            pause: pause.map(|pause| pause.min(LONGEST_PAUSE)),
        });
    }
    Err(Failure::new(match status {
        StatusCode::UNAUTHORIZED => {
            "could not be fetched: GitHub refuses the operator's token".to_owned()
        }
        StatusCode::FORBIDDEN => "could not be fetched: GitHub forbids it".to_owned(),
        status if status.is_redirection() => {
            "has moved: write where GitHub leads to now".to_owned()
        }
        status => format!("could not be fetched: GitHub answered {}", status.as_u16()),
    }))
}

/// Returns a path for an address: everything but what is safe there is escaped.
fn escaped(path: &str) -> String {
    path.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests;
