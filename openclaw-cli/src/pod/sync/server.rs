//! The two answers of `pod sync`: `/startupz` for the kubelet, `/status` for the operator.
//!
//! # Guarantees
//! A client costs at most one of [`CLIENT_LIMIT`] threads, [`REQUEST_LIMIT`] bytes and
//! [`CLIENT_TIME`], whatever it sends or does not send.

use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, SocketAddrV6, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use openclaw_render::seed::SyncStatus;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use serde_json::json;

use super::{Shared, SyncError};

const CLIENT_LIMIT: usize = 16;
const REQUEST_LIMIT: usize = 4096;
const CLIENT_TIME: Duration = Duration::from_secs(3);

/// Answers on this port from now on, and says which one that is if it was 0.
pub(super) fn start(port: u16, shared: Shared) -> Result<u16, SyncError> {
    let failed = |source| SyncError::Listen { port, source };
    // A node without IPv6 has no dual stack either.
    let listener =
        listen(port).or_else(|_| TcpListener::bind(("0.0.0.0", port))).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    thread::Builder::new()
        .name("server".to_owned())
        .spawn(move || serve(&listener, &shared))
        .map_err(|source| SyncError::StartThread { source })?;
    Ok(port)
}

/// Both address families on one socket, whatever the node's default is.
fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = rustix::net::socket_with(
        AddressFamily::INET6,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    sockopt::set_ipv6_v6only(&socket, false)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0))?;
    rustix::net::listen(&socket, 128)?;
    Ok(TcpListener::from(socket))
}

fn serve(listener: &TcpListener, shared: &Shared) {
    let clients = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((mut stream, _)) = listener.accept() else {
            // No descriptors left, perhaps: they come back as clients go.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        if clients.load(Ordering::SeqCst) >= CLIENT_LIMIT {
            continue;
        }
        let place = Place::take(&clients);
        let shared = Arc::clone(shared);
        // Without a thread the connection is closed, which the client will notice.
        let _ = thread::Builder::new().name("client".to_owned()).spawn(move || {
            // A client that went away is no event.
            let _ = answer(&mut stream, &shared);
            // Before the connection ends, so that who waits for the end finds a place again.
            drop(place);
        });
    }
}

/// One of the places for clients, given back whatever happens.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(clients: &Arc<AtomicUsize>) -> Self {
        clients.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(clients))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn answer(stream: &mut TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_write_timeout(Some(CLIENT_TIME))?;
    let request = read_request(stream)?;
    let status = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (code, body) = respond(&request, &status);
    let head = format!(
        "HTTP/1.1 {code}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let body = if request.starts_with(b"HEAD ") { "" } else { &body };
    stream.write_all(format!("{head}{body}").as_bytes())
}

/// The request's head; everything in it but the first line is ignored.
fn read_request(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + CLIENT_TIME;
    let (mut request, mut chunk) = (Vec::new(), [0; 1024]);
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || request.len() > REQUEST_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => request.extend_from_slice(chunk.get(..read).unwrap_or_default()),
        }
    }
    Ok(request)
}

fn respond(request: &[u8], status: &SyncStatus) -> (&'static str, String) {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
    let error = |message| json!({ "message": message }).to_string();
    match (method, path) {
        (b"GET" | b"HEAD", b"/startupz") => startup(status),
        (b"GET" | b"HEAD", b"/status") => match serde_json::to_string(status) {
            Ok(body) => ("200 OK", body),
            Err(_) => ("500 Internal Server Error", error("the status cannot be written")),
        },
        (b"GET" | b"HEAD", _) => ("404 Not Found", error("only /startupz and /status exist")),
        (_, _) => ("405 Method Not Allowed", error("only GET and HEAD are allowed")),
    }
}

/// Started means: the target holds a content that is known to be valid.
fn startup(status: &SyncStatus) -> (&'static str, String) {
    if status.applied_hash.is_some() {
        return ("200 OK", json!({ "status": "started" }).to_string());
    }
    let body = json!({ "status": "waiting", "message": status.message });
    ("503 Service Unavailable", body.to_string())
}
