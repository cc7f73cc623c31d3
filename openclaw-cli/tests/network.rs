//! Who may reach which port of an agent, and what an agent may reach: the NetworkPolicies of all
//! fixtures, evaluated by cyclonus (github.com/mattfenwick/cyclonus). Not part of `cargo test`: it
//! needs the program of `network/`, which `scripts/test pods` builds and `OPENCLAW_NETWORK` names.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failed test"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use openclaw_render::{Documents, Kind, Object, Observed, Settings, render_instance};
use serde_json::{Value, json};

/// Ports of an agent: gateway, proxy, config-sync, the old canvas, a browser's, a webhook's, and one of
/// nothing.
const PORTS: &[u16] = &[18789, 18790, 18795, 18793, 9222, 3978, 8080];

/// Who knocks.
struct Peer {
    name: &'static str,
    value: Value,
}

fn pod(name: &'static str, namespace: &str, labels: &Value, address: &str) -> Peer {
    let value = json!({
        "address": address,
        "namespace": namespace,
        // Kubernetes gives every namespace this label.
        "namespaceLabels": {"kubernetes.io/metadata.name": namespace, "team": namespace},
        "labels": labels,
    });
    Peer { name, value }
}

fn outside(name: &'static str, address: &str) -> Peer {
    Peer { name, value: json!({"address": address}) }
}

/// Whoever may want to reach an agent of that namespace.
fn sources(namespace: &str, operator: &str) -> Vec<Peer> {
    let nothing = json!({});
    vec![
        pod("a pod of the same namespace", namespace, &nothing, "172.16.0.2"),
        pod("a pod of the operator's namespace", operator, &nothing, "172.16.0.3"),
        pod("a pod of namespace monitoring", "monitoring", &nothing, "172.16.0.4"),
        pod("a pod of namespace stranger", "stranger", &nothing, "172.16.0.5"),
        outside("10.1.2.3, outside", "10.1.2.3"),
        outside("203.0.113.7, outside", "203.0.113.7"),
        outside("fd00::7, outside", "fd00::7"),
    ]
}

/// What an agent may want to reach, with port and protocol.
fn destinations(namespace: &str) -> Vec<(Peer, u16, &'static str)> {
    let nothing = json!({});
    let dns = || pod("the cluster's DNS", "kube-system", &nothing, "172.16.0.6");
    let model = || pod("a pod of namespace models", "models", &nothing, "172.16.0.7");
    vec![
        (dns(), 53, "UDP"),
        (dns(), 53, "TCP"),
        (outside("203.0.113.7", "203.0.113.7"), 443, "TCP"),
        (outside("203.0.113.7", "203.0.113.7"), 80, "TCP"),
        (outside("203.0.113.7", "203.0.113.7"), 22, "TCP"),
        (outside("2001:db8::7", "2001:db8::7"), 443, "TCP"),
        (outside("metadata of the cloud, 169.254.169.254", "169.254.169.254"), 443, "TCP"),
        (outside("metadata of the cloud, 169.254.169.254", "169.254.169.254"), 80, "TCP"),
        (outside("metadata of the cloud, fd00:ec2::254", "fd00:ec2::254"), 443, "TCP"),
        (outside("192.168.7.9", "192.168.7.9"), 5432, "TCP"),
        (pod("a pod of the same namespace", namespace, &nothing, "172.16.0.2"), 8000, "TCP"),
        (model(), 8000, "TCP"),
        (model(), 443, "TCP"),
    ]
}

/// Policies and pods of every fixture's first instance.
fn fixtures() -> Vec<(String, Vec<Object>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/instances");
    let entries = fs::read_dir(folder).expect("the fixtures");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let render = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a fixture");
        let documents = Documents::read(serde_saphyr::from_multiple(&text).expect("YAML"));
        let instance = &documents.instances.first().expect("an instance").value;
        let token = Some("fixture-token".to_owned());
        let observed = Observed { random_token: token, ..documents.observed(instance) };
        let (objects, _) = render_instance(instance, &observed, &Settings::default());
        (path.file_stem().expect("a name").to_string_lossy().into_owned(), objects)
    };
    paths.iter().map(render).collect()
}

/// What cyclonus answers.
fn answers(questions: &[Value]) -> Vec<bool> {
    let program = std::env::var_os("OPENCLAW_NETWORK")
        .expect("OPENCLAW_NETWORK is set; run `scripts/test pods`");
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(json!(questions).to_string().as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "it fails");
    serde_json::from_slice(&output.stdout).expect("answers")
}

/// Lines that say what is open, for one fixture.
fn table(objects: &[Object]) -> String {
    let values: Vec<Value> = objects.iter().map(Object::to_value).collect();
    let of = |kind: Kind| -> Vec<&Value> {
        values.iter().filter(|each| each["kind"] == kind.as_str()).collect()
    };
    let sets = of(Kind::StatefulSet);
    let Some(set) = sets.first() else { return "no pod\n".to_owned() };
    let namespace = set["metadata"]["namespace"].as_str().unwrap_or("default");
    let settings = Settings::default();
    let labels = &set["spec"]["template"]["metadata"]["labels"];
    let agent = pod("the agent", namespace, labels, "172.16.0.1");
    let policies = of(Kind::NetworkPolicy);
    let ask = |from: &Peer, to: &Peer, port: u16, protocol: &str| {
        json!({
            "policies": policies, "from": from.value, "to": to.value,
            "port": port, "protocol": protocol,
        })
    };

    let sources = sources(namespace, &settings.operator_namespace);
    let destinations = destinations(namespace);
    let mut questions = Vec::new();
    for source in &sources {
        questions.extend(PORTS.iter().map(|port| ask(source, &agent, *port, "TCP")));
    }
    for (to, port, protocol) in &destinations {
        questions.push(ask(&agent, to, *port, protocol));
    }
    let mut answers = answers(&questions).into_iter();

    let mut text = String::from("in:\n");
    for source in &sources {
        let open: Vec<String> = PORTS
            .iter()
            .zip(answers.by_ref())
            .filter(|(_, is_open)| *is_open)
            .map(|(port, _)| port.to_string())
            .collect();
        let open = if open.is_empty() { "nothing".to_owned() } else { open.join(" ") };
        writeln!(text, "  {:<36} {open}", source.name).expect("a text");
    }
    text.push_str("out:\n");
    for (to, port, protocol) in &destinations {
        let open = if answers.next().expect("an answer") { "open" } else { "closed" };
        let port = format!("{port}/{protocol}");
        writeln!(text, "  {:<40} {port:<9} {open}", to.name).expect("a text");
    }
    text
}

#[test]
fn network_policies_open_what_the_documentation_says_and_nothing_else() {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, objects) in fixtures() {
        tables.entry(table(&objects)).or_default().push(name);
    }
    // Most common first, as the default is.
    let mut tables: Vec<(Vec<String>, String)> =
        tables.into_iter().map(|(table, names)| (names, table)).collect();
    tables.sort_by_key(|(names, _)| (std::cmp::Reverse(names.len()), names.clone()));
    let tables: Vec<String> =
        tables.iter().map(|(names, table)| format!("{}\n{table}\n", names.join(", "))).collect();
    let text = tables.concat();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/network");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("reach", text));
}

/// It tells which configuration an agent runs, and is nobody else's business.
#[test]
fn only_the_operators_namespace_reaches_config_sync() {
    for (name, objects) in fixtures() {
        let has_policy = objects.iter().any(|each| each.kind() == Kind::NetworkPolicy);
        let table = table(&objects);
        let reached: Vec<&str> =
            table.lines().filter(|line| line.contains(" 18795")).map(str::trim).collect();
        let by_operator = |line: &&str| line.starts_with("a pod of the operator's namespace");
        assert!(!has_policy || reached.iter().all(by_operator), "{name}: {reached:#?}");
        assert!(!has_policy || reached.len() == 1, "{name}: {reached:#?}");
    }
}
