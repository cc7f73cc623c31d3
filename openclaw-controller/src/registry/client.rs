//! Reads the tags of an image from its registry, by the protocol that all of them speak.
//!
//! Whose repository it is, a user of the cluster says: what answers is a stranger. So it is asked
//! over TLS only, no redirect is followed, and everything that it sends is bounded.

use std::collections::BTreeSet;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, LINK, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openclaw_render::is_release;
use serde::Deserialize;

/// All pages together. Whoever takes longer is asked again later.
const DEADLINE: Duration = Duration::from_mins(1);
/// Bytes of one answer: ten thousand tags of a hundred characters.
const LONGEST_ANSWER: usize = 1 << 20;
/// Pages of one image.
const MOST_PAGES: usize = 100;
/// Releases of an image. With more, nobody could say which of them are left out.
const MOST_RELEASES: usize = 5_000;
/// Tags that are asked for at once; a registry may give fewer.
const PAGE: usize = 1000;
/// Longest wait that a registry can ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(6);

/// See the module.
#[derive(Clone)]
pub(crate) struct RegistryClient {
    http: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    scheme: &'static str,
}

/// Why the tags are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    /// The name leads nowhere.
    #[error("{0:?} does not name a registry")]
    Name(String),
    /// Nobody is there, or it is nobody's certificate.
    #[error("failed to reach the registry")]
    Reach(#[source] hyper_util::client::legacy::Error),
    /// It took too long.
    #[error("failed to read all tags within {} s", DEADLINE.as_secs())]
    TimedOut,
    /// It says no, with this.
    #[error("the registry answers {0}")]
    Refused(StatusCode),
    /// It is asked too often.
    #[error("the registry is asked too often, and wants to be left alone for {} s", .0.as_secs())]
    TooOften(Duration),
    /// It wants a login.
    #[error("the registry wants a login, and none is used: only public images are looked up")]
    Login,
    /// What it says is not what registries say.
    #[error("the registry's answer is not a list of tags: {0}")]
    Answer(&'static str),
}

#[derive(Deserialize)]
struct Tags {
    /// A registry of Google's and an empty one write null.
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(alias = "access_token")]
    token: String,
}

impl LookError {
    /// Returns how long not to ask, if the registry has said so.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            Self::TooOften(wait) => Some(*wait),
            Self::Name(_)
            | Self::Reach(_)
            | Self::TimedOut
            | Self::Refused(_)
            | Self::Login
            | Self::Answer(_) => None,
        }
    }
}

impl RegistryClient {
    pub(crate) fn new() -> Self {
        Self::speaking("https")
    }

    fn speaking(scheme: &'static str) -> Self {
        let builder = HttpsConnectorBuilder::new().with_webpki_roots();
        let connector = if scheme == "https" {
            builder.https_only().enable_http1().build()
        } else {
            builder.https_or_http().enable_http1().build()
        };
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_idle_timeout(Duration::from_secs(5)).pool_max_idle_per_host(1);
        Self { http: client.build(connector), scheme }
    }

    /// Returns the tags of an image that name releases.
    pub(crate) async fn releases(&self, repository: &str) -> Result<BTreeSet<String>, LookError> {
        let look = self.pages(repository);
        tokio::time::timeout(DEADLINE, look).await.map_err(|_| LookError::TimedOut)?
    }

    async fn pages(&self, repository: &str) -> Result<BTreeSet<String>, LookError> {
        let (host, path) =
            place(repository).ok_or_else(|| LookError::Name(repository.to_owned()))?;
        let mut next = format!("/v2/{path}/tags/list?n={PAGE}");
        let mut token = None;
        let mut releases = BTreeSet::new();
        let mut pages = 0;
        while pages < MOST_PAGES {
            let url = format!("{}://{host}{next}", self.scheme);
            let (status, headers, body) = self.get(&url, token.as_deref()).await?;
            if status == StatusCode::UNAUTHORIZED && token.is_none() {
                token = Some(self.token(&headers, &path).await?);
                continue;
            }
            accepted(status, &headers)?;
            let page: Tags = serde_json::from_slice(&body)
                .map_err(|_| LookError::Answer("it is no JSON of that form"))?;
            releases.extend(page.tags.into_iter().flatten().filter(|tag| is_release(tag)));
            if releases.len() > MOST_RELEASES {
                return Err(LookError::Answer("it has too many releases"));
            }
            match link(&headers, &host) {
                None => return Ok(releases),
                Some(link) => next = link?,
            }
            pages += 1;
        }
        Err(LookError::Answer("it has no end"))
    }

    /// Anonymous, as everyone who pulls a public image gets one.
    async fn token(&self, headers: &HeaderMap, path: &str) -> Result<String, LookError> {
        let challenge = headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let challenge = challenge.and_then(|value| value.strip_prefix("Bearer "));
        let challenge = challenge.ok_or(LookError::Login)?;
        let field = |name: &str| {
            let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
            rest.split_once('"').map(|(value, _)| value)
        };
        let realm =
            field("realm").filter(|realm| realm.starts_with(&format!("{}://", self.scheme)));
        let realm = realm.ok_or(LookError::Login)?;
        let service = field("service").unwrap_or_default();
        let is_plain = |text: &str| {
            text.bytes().all(|it| it.is_ascii_alphanumeric() || b".:-_/".contains(&it))
        };
        if !is_plain(service) || realm.contains('?') {
            return Err(LookError::Login);
        }
        let url = format!("{realm}?service={service}&scope=repository:{path}:pull");
        let (status, headers, body) = self.get(&url, None).await?;
        if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status) {
            return Err(LookError::Login);
        }
        accepted(status, &headers)?;
        let token: Token = serde_json::from_slice(&body)
            .map_err(|_| LookError::Answer("its token service gives no token"))?;
        Ok(token.token)
    }

    async fn get(
        &self,
        url: &str,
        token: Option<&str>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), LookError> {
        let name = || LookError::Name(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| name())?;
        let mut request = Request::get(uri).header(ACCEPT, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Empty::new()).map_err(|_| name())?;
        let answer = self.http.request(request).await.map_err(LookError::Reach)?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await;
        let body = body.map_err(|_| LookError::Answer("it is too long, or breaks off"))?;
        Ok((parts.status, parts.headers, body.to_bytes()))
    }
}

fn accepted(status: StatusCode, headers: &HeaderMap) -> Result<(), LookError> {
    if status == StatusCode::TOO_MANY_REQUESTS {
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let wait = Duration::from_secs(seconds.unwrap_or(60)).min(LONGEST_WAIT);
        return Err(LookError::TooOften(wait));
    }
    if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status) {
        return Err(LookError::Login);
    }
    if status.is_success() { Ok(()) } else { Err(LookError::Refused(status)) }
}

/// Returns the path of the next page; one of another host is not followed.
fn link(headers: &HeaderMap, host: &str) -> Option<Result<String, LookError>> {
    let value = headers.get(LINK)?.to_str().ok()?;
    let (url, rest) = value.strip_prefix('<')?.split_once('>')?;
    if !rest.contains("rel=\"next\"") && !rest.contains("rel=next") {
        return None;
    }
    if url.starts_with("/v2/") {
        return Some(Ok(url.to_owned()));
    }
    let of_host = url.split_once("://").and_then(|(_, rest)| rest.strip_prefix(host));
    let of_host = of_host.filter(|path| path.starts_with("/v2/"));
    Some(of_host.map(ToOwned::to_owned).ok_or(LookError::Answer("its next page is elsewhere")))
}

/// Returns host and path of an image. One without a host is Docker Hub's.
fn place(repository: &str) -> Option<(String, String)> {
    let (host, path) = match repository.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
        Some(_) => ("docker.io", repository),
        None => return Some(("registry-1.docker.io".to_owned(), format!("library/{repository}"))),
    };
    let in_path = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"._-/".contains(&it);
    let in_host = |it: u8| it.is_ascii_alphanumeric() || b".:-[]".contains(&it);
    let is_right = !path.is_empty() && path.bytes().all(in_path) && host.bytes().all(in_host);
    let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
    is_right.then(|| (host.to_owned(), path.to_owned()))
}

#[cfg(test)]
mod tests;
