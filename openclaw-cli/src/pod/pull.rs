//! `pod pull`: has the server for local models fetch those that are not there.
//!
//! # Guarantees
//! - It ends well, whatever comes of it: no agent waits for a registry for longer than it was told.
//!   What could not be fetched is in the termination log.
//! - A model that is there is left alone, without a look at the network.
//! - Time and memory are bounded, whatever the server answers.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::Body;
use ureq::http::{Response, StatusCode};

use super::probe::{LoopbackUrl, client};
use super::{leave_last_words, one_line};
use crate::error::chain;

/// Of each model that could not be fetched, in a condition.
const WORDS_LIMIT: usize = 200;
/// Longest line of the server's that is read: it tells how far it is in some hundred bytes.
const LINE_LIMIT: u64 = 64 * 1024;
/// Longest answer that is not told in lines. That about a model holds its licence and template.
const BODY_LIMIT: u64 = 16 * 1024 * 1024;
/// How often a server is asked that does not answer yet, and how long it may take to answer.
const PAUSE: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(10);
/// How often the log tells how far it is.
const TELL: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the server is: `http://` and a loopback address.
    #[arg(long, value_name = "URL")]
    pub(crate) server: LoopbackUrl,
    /// A model, as the server takes it; repeated for each.
    #[arg(long, value_name = "MODEL", required = true)]
    pub(crate) model: Vec<String>,
    /// How long all of it may take together.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout_seconds: u64,
    /// Where it is written what was not fetched, and why.
    #[arg(long, value_name = "FILE")]
    pub(crate) termination_log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum PullError {
    #[error("failed to ask the server")]
    Ask { source: Box<ureq::Error> },
    #[error("failed to read the server's answer")]
    Read { source: io::Error },
    #[error("the server answered {status}: {words}")]
    Refuse { status: u16, words: String },
    #[error("the server says: {words}")]
    Fail { words: String },
    #[error("the server stopped before it was done")]
    Stop,
    #[error("was not there in time")]
    Late,
}

/// Runs `pod pull`.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let puller = Puller {
        base: arguments.server.to_string().trim_end_matches('/').to_owned(),
        deadline: Instant::now() + Duration::from_secs(arguments.timeout_seconds),
    };
    let mut failed = Vec::new();
    for model in &arguments.model {
        match puller.pull(model) {
            Ok(()) => say(&format!("{model}: is there")),
            Err(error) => {
                let text = format!("{model}: {}", one_line(&chain(&error), WORDS_LIMIT));
                say(&text);
                failed.push(text);
            }
        }
    }
    if !failed.is_empty() {
        leave_last_words(&arguments.termination_log, &failed.join("; "));
    }
    ExitCode::SUCCESS
}

struct Puller {
    base: String,
    deadline: Instant,
}

impl Puller {
    /// Has a model fetched unless it is there.
    fn pull(&self, model: &str) -> Result<(), PullError> {
        if self.is_there(model)? {
            return Ok(());
        }
        let left = self.left()?;
        let response = self.post("/api/pull", &json!({"model": model, "stream": true}), left)?;
        let mut lines = BufReader::new(response.into_body().into_reader());
        let mut told = Instant::now();
        loop {
            self.left()?;
            let mut line = Vec::new();
            // A line without an end is not waited for.
            let read = (&mut lines).take(LINE_LIMIT).read_until(b'\n', &mut line);
            if read.map_err(|source| self.broken(source))? == 0 {
                return Err(PullError::Stop);
            }
            let Ok(news) = serde_json::from_slice::<Value>(&line) else { continue };
            if let Some(words) = news.get("error").and_then(Value::as_str) {
                return Err(PullError::Fail { words: one_line(words, WORDS_LIMIT) });
            }
            if news.get("status").and_then(Value::as_str) == Some("success") {
                return Ok(());
            }
            if told.elapsed() >= TELL {
                told = Instant::now();
                let count = |key| news.get(key).and_then(Value::as_u64).unwrap_or_default();
                let (done, all) = (count("completed") >> 20, count("total") >> 20);
                say(&format!("{model}: {done} of {all} MiB of a part"));
            }
        }
    }

    /// Whether the server has a model. A server that starts is waited for.
    fn is_there(&self, model: &str) -> Result<bool, PullError> {
        loop {
            let limit = self.left()?.min(ANSWER);
            match self.post("/api/show", &json!({"model": model}), limit) {
                Ok(_) => return Ok(true),
                Err(PullError::Refuse { status: 404, .. }) => return Ok(false),
                Err(PullError::Ask { .. }) if self.left()? > PAUSE => thread::sleep(PAUSE),
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks, and returns an answer that says yes.
    fn post(
        &self,
        path: &str,
        body: &Value,
        timeout: Duration,
    ) -> Result<Response<Body>, PullError> {
        let url = format!("{}{path}", self.base);
        let mut response = client(timeout)
            .post(url)
            .send(body.to_string())
            .map_err(|source| PullError::Ask { source: Box::new(source) })?;
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(response);
        }
        let words = response.body_mut().with_config().limit(BODY_LIMIT).read_to_vec();
        let words = String::from_utf8_lossy(&words.unwrap_or_default()).into_owned();
        let words = one_line(&words, WORDS_LIMIT);
        Err(PullError::Refuse { status: status.as_u16(), words })
    }

    /// Returns the time that is left.
    fn left(&self) -> Result<Duration, PullError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(PullError::Late) } else { Ok(left) }
    }

    /// Why nothing more can be read: mostly that the time is over.
    fn broken(&self, source: io::Error) -> PullError {
        self.left().map_or_else(|late| late, |_| PullError::Read { source })
    }
}

fn say(text: &str) {
    super::log("pull", text);
}
