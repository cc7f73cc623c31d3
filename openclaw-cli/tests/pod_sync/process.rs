//! The process itself: its end, its port and who asks there, its lines.

use std::fs;
use std::io::Write;
use std::net::{Ipv6Addr, TcpStream};
use std::time::{Duration, Instant};

use crate::pod::{PROGRAM, Pod, applied, hash, wait_until};

#[test]
fn sigterm_ends_it_at_once_even_during_a_validation() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start_with(&["--poll-seconds=3600"]);
    sync.wait_for_status(&applied("good 1"));
    let begin = Instant::now();
    assert_eq!(sync.terminate().code(), Some(0));
    let pod = Pod::with_source("hang");
    let sync = pod.start();
    wait_until("the validator to run", || {
        if pod.path("judged.pid").exists() { Ok(()) } else { Err("nothing".to_owned()) }
    });
    assert_eq!(sync.terminate().code(), Some(0));
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[test]
fn clients_that_misbehave_do_not_end_it() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    // As many that say nothing as there are places, minus one for the next requests.
    let silent: Vec<_> =
        (0..15).map(|_| TcpStream::connect(("127.0.0.1", sync.port)).unwrap()).collect();
    for request in [
        b"\x00\xff\xfe\r\n\r\n".as_slice(),
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /status HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"GET /other HTTP/1.1\r\n\r\n",
    ] {
        let answer = sync.send(request);
        assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
    }
    let head = sync.send(b"HEAD /status?x=y HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    drop(silent);
    let mut endless = TcpStream::connect(("127.0.0.1", sync.port)).unwrap();
    wait_until("an endless request to be cut off", || {
        endless.write_all(&[b'x'; 1024]).map_or(Ok(()), |()| Err("it goes on".to_owned()))
    });
    sync.wait_for_status(&applied("good 1"));
}

#[test]
fn both_address_families_are_served() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    assert!(TcpStream::connect(("127.0.0.1", sync.port)).is_ok());
    let has_ipv6 = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    assert_eq!(TcpStream::connect((Ipv6Addr::LOCALHOST, sync.port)).is_ok(), has_ipv6);
}

#[test]
fn a_taken_port_is_an_error() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    let output = assert_cmd::Command::new(PROGRAM)
        .args(["pod", "sync", "--port", &sync.port.to_string(), "--source", "s"])
        .args(["--target", "t", "--work-dir", ".", "--", "true"])
        .assert()
        .code(1);
    let message = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(message.contains(&format!("failed to listen on port {}", sync.port)), "{message}");
}

#[test]
fn every_event_is_one_line() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    pod.publish("bad 2");
    sync.wait_for_message("is bad");
    fs::write(pod.target(), "tampered").unwrap();
    let mut lines = Vec::new();
    let restored = format!("restored {}", hash("good 1"));
    wait_until(&restored, || {
        lines.extend(sync.lines.try_iter());
        if lines.iter().any(|line: &String| line.contains(&restored)) {
            Ok(())
        } else {
            Err(lines.join("\n"))
        }
    });
    let expected = [
        format!("config-sync: applied {}", hash("good 1")),
        "config-sync: rejected by the application: gateway.bind: is bad".to_owned(),
        format!("config-sync: {restored}: somebody else had changed the file"),
    ];
    assert_eq!(lines, expected);
}
