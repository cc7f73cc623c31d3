//! The objects of a resource, listed and then watched, as texts.
//!
//! Pages are bounded by their size, not by a number of objects, and nothing in an object keeps the
//! others from coming: nobody looks into it here. That is what `kube`'s own watcher cannot do, see
//! ADR 0010.

use std::time::{Duration, Instant};

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use kube::api::{ListParams, WatchParams};
use kube::core::{Request, Status, request};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::Event;
use openclaw_render::bounded;
use serde::Deserialize;

use crate::answer::{Answer, LONGEST, Lines, ReadError, Reader, Turn};
use crate::live;

/// Objects of the first page. The next ones grow as long as they stay small.
const FIRST_PAGE: u32 = 4;
/// What API servers are made for.
const LARGEST_PAGE: u32 = 500;
/// Bytes of a page of more than one object.
const PAGE_BYTES: usize = 4 << 20;
/// What an API server itself allows.
const PAGE_DEADLINE: Duration = Duration::from_mins(1);
/// The server ends a watch before, see [`WatchParams`].
const IDLE: Duration = Duration::from_secs(295);
/// A watch that ends earlier did not end by itself.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// Which objects, and what of them.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) reader: Reader,
    /// Path of the resource.
    pub(crate) path: String,
    /// Selector by labels.
    pub(crate) labels: Option<String>,
    /// Selector by fields.
    pub(crate) fields: Option<String>,
    /// Nothing but the metadata.
    pub(crate) metadata_only: bool,
}

/// An object as the API server wrote it.
pub(crate) struct Item {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Resource version, see [`crate::live::version`].
    pub(crate) version: u64,
    pub(crate) text: String,
    /// Kept as long as the text is there.
    _turn: Option<Turn>,
}

/// Why a list or watch broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    /// It cannot be asked for.
    #[error("failed to build the request: {0}")]
    Request(#[source] request::Error),
    /// It cannot be read.
    #[error("{0}")]
    Read(#[source] ReadError),
    /// Nobody answers.
    #[error("no answer within {} s", PAGE_DEADLINE.as_secs())]
    TimedOut,
    /// The server ended it.
    #[error("the API server says: {}", .0.message)]
    Status(Box<Status>),
    /// What comes is no list and no event.
    #[error("the answer is no {0}")]
    NoSense(&'static str),
    /// It ends again and again.
    #[error("it ended within {} s", SHORT_LIFE.as_secs())]
    Ended,
}

enum State {
    Start,
    Page { token: Option<String>, limit: u32 },
    Connect { version: String },
    Watching { version: String, lines: Lines, since: Instant },
}

type Events = Vec<Result<Event<Item>, FeedError>>;

struct Page {
    items: Vec<Item>,
    /// Of the page after it.
    token: Option<String>,
    version: String,
    bytes: usize,
}

#[derive(Deserialize)]
struct Head {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
    resource_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    #[serde(default)]
    resource_version: String,
    #[serde(default, rename = "continue")]
    token: String,
}

impl Item {
    /// Without looking further than at its name.
    pub(crate) fn new(text: &str, turn: Option<Turn>) -> Option<Self> {
        Self::versioned(text, turn).map(|(item, _)| item)
    }

    fn versioned(text: &str, turn: Option<Turn>) -> Option<(Self, String)> {
        let Head { metadata } = serde_json::from_str(text).ok()?;
        let Metadata { namespace, name, resource_version } = metadata;
        let version = live::version(&resource_version);
        let text = text.to_owned();
        Some((Self { namespace, name, version, text, _turn: turn }, resource_version))
    }
}

impl FeedError {
    /// Whether the server does not know such objects.
    pub(crate) fn is_no_such_kind(&self) -> bool {
        self.code() == Some(404)
    }

    /// What the server said.
    fn code(&self) -> Option<u16> {
        if let Self::Status(status) = self {
            Some(status.code)
        } else if let Self::Read(ReadError::Ask(error)) = self
            && let kube::Error::Api(status) = &**error
        {
            Some(status.code)
        } else {
            None
        }
    }

    /// What comes after a failed watch: the list, if the version to go on from is forgotten.
    fn then(self, version: String) -> (Events, State) {
        let is_expired = self.code() == Some(410);
        let next = if is_expired { State::Start } else { State::Connect { version } };
        (vec![Err(self)], next)
    }
}

impl Feed {
    /// Every object, then every change, for ever. After a failure it goes on after a while, from
    /// the beginning if it must.
    pub(crate) fn events(self) -> BoxStream<'static, Result<Event<Item>, FeedError>> {
        self.steps().default_backoff().boxed()
    }

    fn steps(self) -> impl Stream<Item = Result<Event<Item>, FeedError>> + Send + 'static {
        let steps = stream::unfold((self, State::Start), |(feed, state)| async move {
            let (events, next) = feed.step(state).await;
            Some((stream::iter(events), (feed, next)))
        });
        steps.flatten()
    }

    async fn step(&self, state: State) -> (Events, State) {
        match state {
            State::Start => (vec![Ok(Event::Init)], State::Page { token: None, limit: FIRST_PAGE }),
            State::Page { token, limit } => self.next_page(token, limit).await,
            State::Connect { version } => match self.connect(&version).await {
                Ok(lines) => {
                    (Vec::new(), State::Watching { version, lines, since: Instant::now() })
                }
                Err(error) => error.then(version),
            },
            State::Watching { version, mut lines, since } => {
                let line = tokio::time::timeout(IDLE, self.reader.line(&mut lines)).await;
                match line {
                    // Half a line is none.
                    Ok(Ok(Some(line))) if line.text.ends_with('\n') => match event(line) {
                        Ok((event, at)) => {
                            let version = at.unwrap_or(version);
                            let events = event.map(Ok).into_iter().collect();
                            (events, State::Watching { version, lines, since })
                        }
                        Err(error) => error.then(version),
                    },
                    Ok(Err(error @ (ReadError::TooLong(_) | ReadError::NotText))) => {
                        FeedError::Read(error).then(version)
                    }
                    // It ends every few minutes, and with the connection.
                    Ok(Ok(_) | Err(_)) if since.elapsed() < SHORT_LIFE => {
                        FeedError::Ended.then(version)
                    }
                    Ok(Ok(_) | Err(_)) | Err(_) => (Vec::new(), State::Connect { version }),
                }
            }
        }
    }

    async fn next_page(&self, token: Option<String>, limit: u32) -> (Events, State) {
        match self.list(token.clone(), limit).await {
            Ok(page) => {
                let mut events: Events =
                    page.items.into_iter().map(|item| Ok(Event::InitApply(item))).collect();
                let grow = page.bytes.saturating_mul(4) < PAGE_BYTES;
                let limit = if grow { (limit * 2).min(LARGEST_PAGE) } else { limit };
                if page.token.is_some() {
                    return (events, State::Page { token: page.token, limit });
                }
                events.push(Ok(Event::InitDone));
                (events, State::Connect { version: page.version })
            }
            Err(FeedError::Read(ReadError::TooLong(_))) if limit > 1 => {
                (Vec::new(), State::Page { token, limit: (limit / 4).max(1) })
            }
            Err(error) => (vec![Err(error)], State::Start),
        }
    }

    async fn list(&self, token: Option<String>, limit: u32) -> Result<Page, FeedError> {
        let parameters = ListParams {
            label_selector: self.labels.clone(),
            field_selector: self.fields.clone(),
            limit: Some(limit),
            continue_token: token,
            ..ListParams::default()
        };
        let request = Request::new(self.path.as_str());
        let request = if self.metadata_only {
            request.list_metadata(&parameters)
        } else {
            request.list(&parameters)
        };
        let request = request.map_err(FeedError::Request)?;
        let most = if limit > 1 { PAGE_BYTES } else { LONGEST };
        let answer = tokio::time::timeout(PAGE_DEADLINE, self.reader.read(request, most));
        let answer = answer.await.map_err(|_| FeedError::TimedOut)?.map_err(FeedError::Read)?;
        page(&answer).ok_or(FeedError::NoSense("list"))
    }

    async fn connect(&self, version: &str) -> Result<Lines, FeedError> {
        let parameters = WatchParams {
            label_selector: self.labels.clone(),
            field_selector: self.fields.clone(),
            ..WatchParams::default()
        };
        let request = Request::new(self.path.as_str());
        let request = if self.metadata_only {
            request.watch_metadata(&parameters, version)
        } else {
            request.watch(&parameters, version)
        };
        let request = request.map_err(FeedError::Request)?;
        let lines = tokio::time::timeout(PAGE_DEADLINE, self.reader.open(request));
        lines.await.map_err(|_| FeedError::TimedOut)?.map_err(FeedError::Read)
    }
}

fn page(answer: &Answer) -> Option<Page> {
    let (mut metadata, mut items) = (None, Vec::new());
    for (name, text) in bounded::fields(&answer.text)? {
        match name.as_str() {
            "metadata" => metadata = serde_json::from_str::<ListMetadata>(text).ok(),
            // An empty list may be null.
            "items" => items = bounded::items(text).unwrap_or_default(),
            _ => {}
        }
    }
    let ListMetadata { resource_version: version, token } = metadata?;
    let items: Option<Vec<Item>> =
        items.into_iter().map(|text| Item::new(text, answer.turn.clone())).collect();
    let token = Some(token).filter(|token| !token.is_empty());
    if token.is_none() && version.is_empty() {
        return None;
    }
    Some(Page { items: items?, token, version, bytes: answer.text.len() })
}

/// What a line of a watch says, and up to which version that leads.
fn event(line: Answer) -> Result<(Option<Event<Item>>, Option<String>), FeedError> {
    let no_sense = || FeedError::NoSense("event");
    let fields = bounded::fields(&line.text).ok_or_else(no_sense)?;
    let part = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, text)| *text);
    let kind = part("type").and_then(|text| serde_json::from_str::<String>(text).ok());
    let object = part("object").ok_or_else(no_sense)?;
    let kind = kind.ok_or_else(no_sense)?;
    if kind == "ERROR" {
        let status = serde_json::from_str(object).map_err(|_| no_sense())?;
        return Err(FeedError::Status(status));
    }
    let (item, version) = Item::versioned(object, line.turn).ok_or_else(no_sense)?;
    let event = match kind.as_str() {
        "ADDED" | "MODIFIED" => Some(Event::Apply(item)),
        "DELETED" => Some(Event::Delete(item)),
        // A bookmark.
        _ => None,
    };
    Ok((event, Some(version)))
}

#[cfg(test)]
mod tests;
