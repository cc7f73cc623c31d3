//! Alerts and dashboards, judged by promtool; and their runbooks.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failed test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn top_level(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn rendered(fixture: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_openclaw-cli"))
        .arg("render")
        .arg(top_level("fixtures/instances").join(fixture))
        .output()
        .expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let documents = text.split("\n---\n").map(|document| {
        serde_saphyr::from_str::<Value>(document.trim_start_matches("---\n")).expect("YAML")
    });
    documents.collect()
}

fn of_kind<'a>(objects: &'a [Value], kind: &str, ending: &str) -> &'a Value {
    let mut found = objects.iter().filter(|object| {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        object["kind"] == kind && name.ends_with(ending)
    });
    found.next().expect("it is rendered")
}

/// Whether promtool takes a file of rules, warnings included.
fn assert_taken(groups: &Value, what: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rules.yaml");
    fs::write(&file, groups.to_string()).expect("a file");
    let output = Command::new("promtool")
        .args(["check", "rules", "--lint=all", "--lint-fatal"])
        .arg(&file)
        .output()
        .expect("promtool runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
}

/// The operator's own, as the chart makes them.
fn of_operator() -> Value {
    let manifests = fs::read_to_string(top_level("snapshots/chart/ha.yaml")).expect("a chart");
    let mut objects = manifests
        .split("\n---\n")
        .map(|document| serde_saphyr::from_str::<Value>(document).expect("YAML"));
    let rule = objects.find(|object| object["kind"] == "PrometheusRule");
    rule.expect("the chart makes one")["spec"].clone()
}

#[test]
fn promtool_takes_the_alerts_of_the_operator() {
    assert_taken(&of_operator(), "the operator's");
}

#[test]
fn promtool_takes_the_alerts_of_every_fixture() {
    for fixture in ["alerts.yaml", "alerts-no-exporter.yaml", "alerts-existing-claim.yaml"] {
        assert_taken(&of_kind(&rendered(fixture), "PrometheusRule", "-alerts")["spec"], fixture);
    }
}

/// Every expression of a dashboard, its variables replaced as Grafana would.
fn expressions(within: &Value, found: &mut Vec<String>) {
    match within {
        Value::Object(fields) => {
            if let Some(expression) = fields.get("expr").and_then(Value::as_str) {
                found.push(expression.replace('$', "x"));
            }
            fields.values().for_each(|inner| expressions(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| expressions(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn promtool_takes_every_expression_of_the_dashboards() {
    let objects = rendered("alerts.yaml");
    let data = &of_kind(&objects, "ConfigMap", "-dashboard-instance")["data"];
    let agent = data["openclaw-agents.ada.json"].as_str().expect("a dashboard").to_owned();
    let fleet = "charts/openclaw-operator/files/dashboards/openclaw-operator.json";
    for text in [agent, fs::read_to_string(top_level(fleet)).expect("a dashboard")] {
        let dashboard: Value = serde_json::from_str(&text).expect("JSON");
        let mut found = Vec::new();
        expressions(&dashboard, &mut found);
        assert!(found.len() > 10, "{found:?}");
        let rules = found.iter().enumerate();
        let rules: Vec<Value> = rules
            .map(|(index, expression)| {
                serde_json::json!({"record": format!("x:{index}"), "expr": expression})
            })
            .collect();
        let title = dashboard["title"].to_string();
        assert_taken(&serde_json::json!({"groups": [{"name": "x", "rules": rules}]}), &title);
    }
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let objects = rendered("alerts.yaml");
    let rules = &of_kind(&objects, "PrometheusRule", "-alerts")["spec"]["groups"][0]["rules"];
    let operators = &of_operator()["groups"][0]["rules"];
    let rules = [rules, operators].map(|rules| rules.as_array().expect("rules"));
    let mut wanted = Vec::new();
    for rule in rules.into_iter().flatten() {
        let alert = rule["alert"].as_str().expect("a name");
        let url = rule["annotations"]["runbook_url"].as_str().expect("a link");
        assert!(url.ends_with(&format!("/{alert}")), "{url}");
        wanted.push(format!("{alert}.md"));
    }
    wanted.sort();
    wanted.dedup();
    let pages = fs::read_dir(top_level("docs/runbooks")).expect("a folder");
    let mut pages: Vec<String> =
        pages.map(|page| page.expect("a page").file_name().into_string().expect("text")).collect();
    pages.sort();
    assert_eq!(pages, wanted);
    for page in pages {
        let text = fs::read_to_string(top_level("docs/runbooks").join(&page)).expect("a page");
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {}", page.trim_end_matches(".md"));
        let parts = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"];
        assert_eq!(headings, [&[title.as_str()][..], &parts].concat(), "{page}");
    }
}
