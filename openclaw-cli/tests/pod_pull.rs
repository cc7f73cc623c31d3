//! `openclaw-cli pod pull` as a process, against a server that answers as told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in helpers too")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A server for any number of clients, and what it was asked.
fn serve(
    answer: impl Fn(&str, &mut TcpStream) + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = request(&mut stream);
            kept.lock().unwrap().push(request.clone());
            answer(&request, &mut stream);
        }
    });
    (format!("http://{address}"), asked)
}

/// Returns the path of a request and its body.
fn request(stream: &mut TcpStream) -> String {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 1024]);
    loop {
        let read = stream.read(&mut chunk).unwrap();
        bytes.extend_from_slice(chunk.get(..read).unwrap());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_ascii_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        if read == 0 || body.len() >= length {
            return format!("{} {body}", head.split(' ').nth(1).unwrap());
        }
    }
}

fn say(stream: &mut TcpStream, status: &str, body: &str) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.write_all(head.as_bytes());
}

/// Runs it, which always ends well; returns its last words.
fn pull(server: &str, models: &[&str], seconds: u32) -> String {
    let folder = tempfile::tempdir().unwrap();
    let words = folder.path().join("words");
    let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw-cli"));
    command.args(["pod", "pull", "--server", server, "--timeout-seconds", &seconds.to_string()]);
    command.args(models.iter().map(|model| format!("--model={model}")));
    let output = command.arg("--termination-log").arg(&words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    std::fs::read_to_string(words).unwrap_or_default()
}

#[test]
fn only_what_is_missing_is_fetched() {
    let (server, asked) = serve(|request, stream| match request.split_once(' ').unwrap() {
        ("/api/show", body) if body.contains("there") => say(stream, "200 OK", "{}"),
        ("/api/show", _) => say(stream, "404 Not Found", r#"{"error":"not found"}"#),
        _ => say(
            stream,
            "200 OK",
            "{\"status\":\"pulling\",\"total\":2,\"completed\":1}\n{\"status\":\"success\"}\n",
        ),
    });
    assert_eq!(pull(&server, &["there:1", "new:1"], 30), "");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert_eq!(asked.last().unwrap(), r#"/api/pull {"model":"new:1","stream":true}"#);
}

#[test]
fn what_the_server_refuses_is_told_and_the_rest_is_fetched() {
    let (server, _) = serve(|request, stream| match request.split_once(' ').unwrap() {
        ("/api/show", _) => say(stream, "404 Not Found", "{}"),
        (_, body) if body.contains("gone") => {
            say(stream, "200 OK", "{\"error\":\"pull model manifest:\\nfile does not exist\"}\n");
        }
        (_, body) if body.contains("cut") => say(stream, "200 OK", "{\"status\":\"pulling\"}\n"),
        _ => say(stream, "200 OK", "{\"status\":\"success\"}\n"),
    });
    assert_eq!(
        pull(&server, &["gone", "cut", "good"], 30),
        "gone: the server says: pull model manifest: file does not exist; cut: the server stopped \
         before it was done"
    );
}

#[test]
fn a_server_that_never_ends_or_never_answers_is_given_up_in_time() {
    let (endless, _) = serve(|request, stream| {
        if request.starts_with("/api/show") {
            return say(stream, "404 Not Found", "{}");
        }
        say(stream, "200 OK", "");
        while stream.write_all(&[b'x'; 8192]).is_ok() {}
    });
    let start = Instant::now();
    let words = pull(&endless, &["a"], 2);
    assert!(words.starts_with("a: "), "{words}");
    let words = pull("http://127.0.0.1:9", &["a", "b"], 2);
    assert!(words.contains("b: failed to ask the server"), "{words}");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}
