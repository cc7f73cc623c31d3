//! `openclaw-cli pod probe` as a process, against servers on loopback that answer as told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in helpers too")]

use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::Command;

/// A server for one client: reads the request's head, then does what the test wants.
fn serve(answer: impl FnOnce(TcpStream, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut request, mut chunk) = (Vec::new(), [0; 1024]);
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read(&mut chunk) {
                Ok(read @ 1..) => request.extend_from_slice(chunk.get(..read).unwrap()),
                Ok(_) | Err(_) => return,
            }
        }
        answer(stream, String::from_utf8(request).unwrap());
    });
    format!("http://{address}/startupz")
}

fn serve_bytes(bytes: impl Into<Vec<u8>>) -> String {
    let bytes = bytes.into();
    serve(move |mut stream, _| {
        // The probe may have heard enough and be gone.
        let _ = stream.write_all(&bytes);
    })
}

fn http(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn json(body: &str) -> Vec<u8> {
    http("200 OK", "application/json; charset=utf-8", body)
}

fn probe(url: &str, more: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_openclaw-cli"))
        .args(["pod", "probe", "--url", url])
        .args(more)
        // The agent's proxy settings are none of the probe's.
        .env("http_proxy", "http://127.0.0.1:9")
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("ALL_PROXY", "http://127.0.0.1:9")
        .output()
        .unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    assert_eq!(line.lines().count(), 1, "{line:?}");
    (output.status.code().unwrap(), line.trim_end().to_owned())
}

#[test]
fn every_kind_of_scalar_is_compared_as_text() {
    let url = serve_bytes(json(r#"{"status":"started","ready":true,"count":3,"none":null}"#));
    let expected = ["--expect", "status=started", "--expect", "ready=true"];
    let more = ["--expect", "count=3", "--expect", "none=null"];
    let (code, line) = probe(&url, &[expected, more].concat());
    assert_eq!((code, line.as_str()), (0, "/startupz answered as expected"));
}

#[test]
fn a_wrong_value_fails_and_is_named() {
    let body = r#"{"status":"starting","message":"loading\nplugins"}"#;
    let (code, line) = probe(&serve_bytes(json(body)), &["--expect", "status=started"]);
    assert_eq!(code, 1);
    assert_eq!(line, r#"/startupz says status is "starting", not started: loading plugins"#);
}

#[test]
fn a_missing_key_and_a_nested_value_fail() {
    let (code, line) = probe(&serve_bytes(json("{}")), &["--expect", "ready=missing"]);
    assert_eq!((code, line.as_str()), (1, "/startupz says ready is missing, not missing"));
    let (code, line) = probe(&serve_bytes(json(r#"{"ready":[]}"#)), &["--expect", "ready=[]"]);
    assert_eq!((code, line.as_str()), (1, "/startupz says ready is [], not []"));
}

#[test]
fn a_web_page_with_status_200_fails() {
    let page = http("200 OK", "text/html; charset=utf-8", "<!doctype html><title>UI</title>");
    let (code, line) = probe(&serve_bytes(page), &[]);
    assert_eq!(code, 1);
    assert_eq!(
        line,
        "/startupz answered text/html, not JSON: this version of the application does not serve \
         /startupz"
    );
}

#[test]
fn json_that_is_no_object_fails() {
    for body in ["[]", "true", "", "{", "\u{0}"] {
        let (code, line) = probe(&serve_bytes(json(body)), &[]);
        assert_eq!(code, 1, "{line}");
        assert!(line.contains("no JSON object"), "{line}");
    }
}

#[test]
fn another_status_fails_with_the_message_of_the_answer() {
    let body = r#"{"status":"waiting","message":"rejected: gateway.bind: not allowed"}"#;
    let answer = http("503 Service Unavailable", "application/json", body);
    let (code, line) = probe(&serve_bytes(answer), &["--expect", "status=waiting"]);
    let expected = "/startupz answered 503: rejected: gateway.bind: not allowed";
    assert_eq!((code, line.as_str()), (1, expected));
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = serve_bytes(json("{}"));
    let answer =
        format!("HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n");
    let (code, line) = probe(&serve_bytes(answer), &[]);
    assert_eq!((code, line.as_str()), (1, "/startupz answered 302"));
}

#[test]
fn a_chunked_answer_is_understood() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                  Transfer-Encoding: chunked\r\n\r\n\
                  8\r\n{\"ok\":tr\r\n3\r\nue}\r\n0\r\n\r\n";
    let (code, line) = probe(&serve_bytes(answer), &["--expect", "ok=true"]);
    assert_eq!(code, 0, "{line}");
}

#[test]
fn an_answer_without_a_length_ends_with_the_connection() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"ok\":true}";
    let (code, line) = probe(&serve_bytes(answer), &["--expect", "ok=true"]);
    assert_eq!(code, 0, "{line}");
}

#[test]
fn the_request_is_a_plain_get_of_the_path() {
    let url = serve(|mut stream, request| {
        let head = request.to_ascii_lowercase();
        let right = head.starts_with("get /startupz http/1.1\r\n")
            && head.contains("connection: close\r\n");
        stream.write_all(&json(&format!("{{\"right\":{right}}}"))).unwrap();
    });
    let (code, line) = probe(&url, &["--expect", "right=true"]);
    assert_eq!(code, 0, "{line}");
}

#[test]
fn garbage_and_a_closed_connection_fail() {
    let cases: [&[u8]; 4] = [b"\x00\xff\xfe garbage\r\n\r\n", b"", b"HTTP/1.1 ", b"SSH-2.0\r\n"];
    for bytes in cases {
        let (code, line) = probe(&serve_bytes(bytes), &[]);
        assert_eq!(code, 1, "{line}");
        assert!(line.contains("did not answer: "), "{line}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (code, line) = probe(&format!("http://{address}/"), &[]);
    assert_eq!(code, 1);
    assert!(line.contains("Connection refused"), "{line}");
}

#[test]
fn an_answer_without_end_fails() {
    let endless = serve(|mut stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
        while stream.write_all(&[b' '; 4096]).is_ok() {}
    });
    let (code, line) = probe(&endless, &[]);
    assert_eq!(code, 1);
    assert!(line.contains("did not answer"), "{line}");
    let headers = serve(|mut stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-Header: value\r\n").is_ok() {}
    });
    assert_eq!(probe(&headers, &[]).0, 1);
}

#[test]
fn a_slow_answer_fails_at_the_deadline() {
    // One byte every 50 ms: no single read is late, only the whole is.
    let drip = serve(|mut stream, _| {
        for byte in json(&format!("{{\"ok\":true{}}}", " ".repeat(1000))) {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
    let silent = serve(|mut stream, _| drop(stream.read(&mut [0])));
    for url in [drip, silent] {
        let begin = Instant::now();
        let (code, line) = probe(&url, &["--timeout-seconds", "1"]);
        assert_eq!(code, 1);
        assert!(line.contains("did not answer within 1 s"), "{line}");
        assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    }
}

#[test]
fn only_loopback_addresses_are_asked() {
    for url in [
        "http://192.0.2.1/startupz",
        "http://0.0.0.0/",
        "http://localhost/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@192.0.2.1/",
        "https://127.0.0.1/",
        "ftp://127.0.0.1/",
        "127.0.0.1",
        "",
    ] {
        Command::new(env!("CARGO_BIN_EXE_openclaw-cli"))
            .args(["pod", "probe", "--url", url])
            .assert()
            .code(2);
    }
}

#[test]
fn the_loopback_address_may_be_of_either_family() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else { return };
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (code, line) = probe(&format!("http://[::1]:{port}/"), &[]);
    assert_eq!(code, 1);
    assert!(line.contains("Connection refused"), "{line}");
}

#[test]
fn too_little_disk_space_fails_with_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let url = serve_bytes(json("{}"));
    let (code, line) = probe(&url, &["--disk-path", path, "--min-free-bytes", "1"]);
    assert_eq!(code, 0, "{line}");
    let wanted = u64::MAX.to_string();
    let (code, line) = probe(&url, &["--disk-path", path, "--min-free-bytes", &wanted]);
    assert_eq!(code, 1);
    assert!(line.contains(" bytes free, fewer than 18446744073709551615"), "{line}");
    assert!(line.chars().filter(char::is_ascii_digit).count() > 20, "{line}");
}

#[test]
fn a_missing_disk_fails() {
    let url = serve_bytes(json("{}"));
    let (code, line) = probe(&url, &["--disk-path", "/no/such", "--min-free-bytes", "1"]);
    assert_eq!(code, 1);
    assert!(line.contains("/no/such"), "{line}");
}

#[test]
fn a_disk_that_the_agent_may_not_write_to_fails() {
    // Root may write everywhere, so the probe runs as somebody else; outside the build's folders,
    // which may be closed to others.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("openclaw-cli");
    // Not copied by this process: a file that it has open for writing cannot be executed, and
    // other tests start processes, which inherit it for a moment.
    let copied = std::process::Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_openclaw-cli"))
        .arg(&program)
        .status()
        .unwrap();
    assert!(copied.success());
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
    let is_root = folder.path().metadata().unwrap().uid() == 0;
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    let assert = command
        .args(["pod", "probe", "--url", "http://127.0.0.1:9/", "--min-free-bytes", "0"])
        .arg("--disk-path")
        .arg(folder.path())
        .assert()
        .code(1);
    let line = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(line.contains("is not writable: Permission denied"), "{line}");
}
