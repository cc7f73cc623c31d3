//! Answers of the API server, as text: short ones at once, long ones a few at a time.
//!
//! How long an answer is, is up to whoever made the objects in it. No library gets to see the text
//! as a whole: what it cannot decode it would log.

use std::sync::Arc;
use std::time::Duration;

use futures::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};
use kube::Client;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Kubernetes takes requests of 3 MiB at most, and a ConfigMap of 1 MiB; a character of it may take
/// six in JSON. What is longer is no answer.
pub(crate) const LONGEST: usize = 16 << 20;
/// Bytes of a short answer. Nearly all are.
const SHORT: usize = 256 << 10;
/// Long answers that are in memory at the same time.
const LONG_ONES: usize = 2;
/// Whoever has a turn must come to an end: others wait.
const TURN: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The server said no, or is not there.
    #[error("failed to ask the API server: {0}")]
    Ask(#[source] Box<kube::Error>),
    /// The connection ended.
    #[error("the answer broke off: {0}")]
    Broken(#[source] std::io::Error),
    /// More than was asked for.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// Not even text.
    #[error("the answer is no text")]
    NotText,
}

/// A text, and the right to have it in memory.
pub(crate) struct Answer {
    pub(crate) text: String,
    /// Of a long one.
    pub(crate) turn: Option<Turn>,
}

/// The right to have a long answer in memory.
pub(crate) type Turn = Arc<OwnedSemaphorePermit>;

/// Where a text ends.
#[derive(Clone, Copy)]
enum End {
    Answer,
    Line,
}

/// An answer that goes on and on.
pub(crate) type Lines = std::pin::Pin<Box<dyn AsyncBufRead + Send>>;

/// The API server, for reading.
#[derive(Clone)]
pub(crate) struct Reader {
    client: Client,
    turns: Arc<Semaphore>,
}

impl Reader {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, turns: Arc::new(Semaphore::new(LONG_ONES)) }
    }

    /// A whole answer of so many bytes at most.
    pub(crate) async fn read(
        &self,
        request: http::Request<Vec<u8>>,
        most: usize,
    ) -> Result<Answer, ReadError> {
        let mut lines = self.open(request).await?;
        let answer = self.text(&mut lines, End::Answer, most).await?;
        Ok(answer.unwrap_or(Answer { text: String::new(), turn: None }))
    }

    /// An answer of which each line is one of its own.
    pub(crate) async fn open(&self, request: http::Request<Vec<u8>>) -> Result<Lines, ReadError> {
        match self.client.request_stream(request).await {
            Ok(stream) => Ok(Box::pin(stream)),
            Err(error) => Err(ReadError::Ask(Box::new(error))),
        }
    }

    /// The next line, `None` when there is no more.
    pub(crate) async fn line(&self, lines: &mut Lines) -> Result<Option<Answer>, ReadError> {
        self.text(lines, End::Line, LONGEST).await
    }

    async fn text(
        &self,
        lines: &mut Lines,
        end: End,
        most: usize,
    ) -> Result<Option<Answer>, ReadError> {
        let mut bytes = Vec::new();
        let mut turn = None;
        for limit in [SHORT.min(most), most.saturating_add(1)] {
            let left = u64::try_from(limit.saturating_sub(bytes.len())).unwrap_or(u64::MAX);
            let mut part = lines.as_mut().take(left);
            let reading = async {
                match end {
                    End::Answer => part.read_to_end(&mut bytes).await,
                    End::Line => part.read_until(b'\n', &mut bytes).await,
                }
            };
            let read = match turn {
                None => reading.await,
                Some(_) => match tokio::time::timeout(TURN, reading).await {
                    Ok(read) => read,
                    Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
                },
            };
            read.map_err(ReadError::Broken)?;
            let ended = bytes.len() < limit || matches!(end, End::Line) && bytes.ends_with(b"\n");
            if ended {
                let text = String::from_utf8(bytes).map_err(|_| ReadError::NotText)?;
                return Ok((!text.is_empty()).then_some(Answer { text, turn }));
            }
            if turn.is_none() {
                // Nobody closes the semaphore.
                turn = Arc::clone(&self.turns).acquire_owned().await.ok().map(Arc::new);
            }
        }
        Err(ReadError::TooLong(most))
    }
}
