//! `pod probe`: whether the application says of itself, on loopback, what the kubelet waits for.
//!
//! The status alone proves nothing: for a path that it does not know, the application answers 200
//! with its web page. So the answer must be JSON, and its keys are compared.

use std::fmt;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use rustix::fs::{Access, AtFlags, CWD};
use serde_json::{Map, Value};
use ureq::http::{Response, StatusCode, Uri, header};
use ureq::{Agent, Body};

use super::folder::Folder;
use super::one_line;

/// Health answers are some hundred bytes; more is not one.
const BODY_LIMIT: u64 = 64 * 1024;
/// What the kubelet shows in an event stays readable.
const LINE_LIMIT: usize = 1024;

/// An `http://` URL whose host is a loopback address.
#[derive(Clone, Debug)]
pub(crate) struct LoopbackUrl(Uri);

impl FromStr for LoopbackUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("not a URL: {error}"))?;
        if uri.scheme_str() != Some("http") {
            return Err("must begin with http://".to_owned());
        }
        let host = uri.host().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if !address.is_ok_and(|address| address.is_loopback()) {
            return Err(format!("{host:?} is no loopback address, such as 127.0.0.1 or [::1]"));
        }
        Ok(Self(uri))
    }
}

impl fmt::Display for LoopbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What one key of the answer must be, both as text.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    key: String,
    value: String,
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                Ok(Self { key: key.to_owned(), value: value.to_owned() })
            }
            Some(_) | None => Err("must be KEY=VALUE".to_owned()),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to ask: `http://` and a loopback address.
    #[arg(long)]
    pub(crate) url: LoopbackUrl,
    /// What a key of the answer must be, for example `status=started`; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) expect: Vec<Expectation>,
    /// How long the whole exchange may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 3,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout_seconds: u64,
    /// A path that must be writable, on a file system with enough space.
    #[arg(long, value_name = "PATH", requires = "min_free_bytes")]
    pub(crate) disk_path: Option<PathBuf>,
    /// How much space `--disk-path` must have for users other than root.
    #[arg(long, value_name = "BYTES", requires = "disk_path")]
    pub(crate) min_free_bytes: Option<u64>,
}

/// Runs `pod probe`: one line on standard output, whatever the outcome.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (line, code) = match probe(arguments) {
        Ok(line) => (line, ExitCode::SUCCESS),
        Err(line) => (line, ExitCode::FAILURE),
    };
    // The exit code counts, also when nobody reads the line.
    let _ = writeln!(io::stdout(), "{}", one_line(&line, LINE_LIMIT));
    code
}

/// Why the probe succeeds, or why it fails.
fn probe(arguments: &Arguments) -> Result<String, String> {
    if let (Some(path), Some(bytes)) = (&arguments.disk_path, arguments.min_free_bytes) {
        check_disk(path, bytes)?;
    }
    let uri = &arguments.url.0;
    let path = uri.path();
    let timeout = Duration::from_secs(arguments.timeout_seconds);
    let answer = ask(uri, timeout).map_err(|error| {
        if matches!(error, ureq::Error::Timeout(_)) {
            format!("{uri} did not answer within {} s", arguments.timeout_seconds)
        } else {
            format!("{uri} did not answer: {}", crate::error::chain(&error))
        }
    })?;
    let Answer { status, content_type, body } = answer;
    let object = serde_json::from_slice::<Map<String, Value>>(&body);
    if status != StatusCode::OK {
        let message = object.as_ref().map(said).unwrap_or_default();
        return Err(format!("{path} answered {}{message}", status.as_u16()));
    }
    let Ok(object) = object else {
        let what = if content_type.contains("json") { "no JSON object" } else { "not JSON" };
        return Err(format!(
            "{path} answered {content_type}, {what}: this version of the application does not \
             serve {path}"
        ));
    };
    for Expectation { key, value } in &arguments.expect {
        let found = object.get(key);
        if found.and_then(scalar).as_ref() != Some(value) {
            let found = found.map_or_else(|| "missing".to_owned(), Value::to_string);
            let message = said(&object);
            return Err(format!("{path} says {key} is {found}, not {value}{message}"));
        }
    }
    Ok(format!("{path} answered as expected"))
}

fn check_disk(path: &Path, wanted: u64) -> Result<(), String> {
    let name = path.display();
    let free = Folder::open(path).and_then(|folder| folder.free_bytes()).map_err(|error| {
        format!("failed to ask for the free space: {}", crate::error::chain(&error))
    })?;
    if free < wanted {
        return Err(format!("{name} has {free} bytes free, fewer than {wanted}"));
    }
    rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS)
        .map_err(|errno| format!("{name} is not writable: {errno}"))
}

struct Answer {
    status: StatusCode,
    content_type: String,
    body: Vec<u8>,
}

/// Returns what asks servers of the pod. The environment's proxy is the agent's, not the helper's.
pub(super) fn client(timeout: Duration) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into()
}

fn ask(uri: &Uri, timeout: Duration) -> Result<Answer, ureq::Error> {
    let agent = client(timeout);
    let mut response: Response<Body> = agent.get(uri).header(header::CONNECTION, "close").call()?;
    let content_type = response.headers().get(header::CONTENT_TYPE);
    Ok(Answer {
        status: response.status(),
        content_type: content_type
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .map_or_else(
                || "no content type".to_owned(),
                |value| value.split(';').next().unwrap_or_default().trim().to_owned(),
            ),
        body: response.body_mut().with_config().limit(BODY_LIMIT).read_to_vec()?,
    })
}

/// The answer's own `message`, as the end of a sentence.
fn said(object: &Map<String, Value>) -> String {
    match object.get("message") {
        Some(Value::String(message)) => format!(": {message}"),
        Some(_) | None => String::new(),
    }
}

/// A scalar as the text that it is compared by; arrays and objects equal nothing.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
