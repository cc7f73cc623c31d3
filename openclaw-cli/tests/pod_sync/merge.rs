//! Mode `merge`: what the agent has in its file stays, and the operator's changes go in.

use std::fs;
use std::os::unix::fs::symlink;

use openclaw_render::seed::read_configuration;
use serde_json::{Value, json};

use crate::pod::{Pod, Sync, applied, hash, wait_until};

const COPY: &str = "agent/openclaw.json.refused";
const RECORD: &str = "agent/.openclaw-merged.json";

fn publish(pod: &Pod, content: &Value) -> String {
    let content = content.to_string();
    pod.publish(&content);
    content
}

fn start(pod: &Pod) -> Sync {
    pod.start_with(&["--poll-seconds=1", "--mode=merge", "--force=gateway.auth", "--force=tools"])
}

fn document(pod: &Pod) -> Value {
    pod.read_target().and_then(|text| read_configuration(&text).ok()).unwrap_or_default()
}

fn write(pod: &Pod, content: &str) {
    // As the application does.
    fs::write(pod.path("agent/new"), content).unwrap();
    fs::rename(pod.path("agent/new"), pod.target()).unwrap();
}

fn wait_for(pod: &Pod, expected: &Value) {
    wait_until(&expected.to_string(), || match document(pod) {
        found if found == *expected => Ok(()),
        found => Err(found.to_string()),
    });
}

/// A pod in which `ours` is merged, and nothing else.
fn served(ours: &Value) -> (Pod, Sync, String) {
    let pod = Pod::new();
    let content = publish(&pod, ours);
    let sync = start(&pod);
    sync.wait_for_status(&applied(&content));
    assert_eq!(document(&pod), *ours);
    (pod, sync, content)
}

#[test]
fn what_the_agent_writes_stays_and_what_the_operator_changes_goes_in() {
    let ours =
        json!({"agents": {"model": "a"}, "cron": {"on": true}, "logging": {"level": "info"}});
    let (pod, sync, _) = served(&ours);
    write(
        &pod,
        r"{agents: {model: 'mine'}, cron: {on: true}, // a word
        logging: {level: 'info'}, channels: {telegram: {}}}",
    );
    let theirs = pod.read_target();
    wait_until("a validation", || {
        if pod.judged().iter().any(|line| line.contains("telegram")) {
            Ok(())
        } else {
            Err(format!("{:?}", pod.judged()))
        }
    });
    assert_eq!(pod.read_target(), theirs, "nothing needs to change, so it keeps its comment");
    let content = publish(&pod, &json!({"agents": {"model": "a"}, "logging": {"level": "debug"}}));
    sync.wait_for_status(&applied(&content));
    let expected = json!({"agents": {"model": "mine"}, "logging": {"level": "debug"},
                          "channels": {"telegram": {}}});
    assert_eq!(document(&pod), expected);
    drop(sync);
    // A new pod: another scratch folder, the same volume, and an edit in between.
    fs::remove_dir_all(pod.path("work")).unwrap();
    fs::create_dir(pod.path("work")).unwrap();
    write(&pod, &json!({"agents": {"model": "other"}, "logging": {}}).to_string());
    let sync = start(&pod);
    sync.wait_for_status(&applied(&content));
    assert_eq!(document(&pod), json!({"agents": {"model": "other"}, "logging": {}}));
}

#[test]
fn forced_paths_are_the_operators_whatever_the_agent_writes() {
    let (pod, _sync, _) = served(&json!({"gateway": {"auth": {"mode": "token"}}}));
    write(&pod, r#"{"gateway": {"auth": {"mode": "none"}, "mine": 1}, "tools": {"exec": 1}}"#);
    wait_for(&pod, &json!({"gateway": {"auth": {"mode": "token"}, "mine": 1}}));
}

#[test]
fn the_volume_of_the_go_operator_keeps_all_but_what_that_added_itself() {
    let pod = Pod::new();
    write(
        &pod,
        &json!({
            "channels": {"telegram": {"enabled": true}},
            "diagnostics": {"otel": {"endpoint": "http://localhost:4318", "metrics": true}},
            "gateway": {"auth": {"mode": "token", "token": "old"},
                        "controlUi": {"dangerouslyDisableDeviceAuth": true, "basePath": "/x"}},
            "agents": {"model": "old"},
        })
        .to_string(),
    );
    let ours = json!({"agents": {"model": "new"}, "gateway": {"auth": {"mode": "token"}}});
    let content = publish(&pod, &ours);
    let sync = start(&pod);
    sync.wait_for_status(&applied(&content));
    assert_eq!(
        document(&pod),
        json!({
            "agents": {"model": "new"},
            "channels": {"telegram": {"enabled": true}},
            "gateway": {"auth": {"mode": "token"}, "controlUi": {"basePath": "/x"}},
        })
    );
}

#[test]
fn what_cannot_be_read_makes_way_for_the_last_good_content_and_is_kept() {
    let (pod, sync, content) = served(&json!({"agents": {"model": "a"}}));
    write(&pod, r#"{"agents": {"model": "mine"}}"#);
    wait_for(&pod, &json!({"agents": {"model": "mine"}}));
    let mut last = String::new();
    let huge = "x".repeat(5 * 1024 * 1024);
    for (garbage, why) in
        [("{\"agents\": ", "is not JSON"), ("[]", "no JSON object"), (huge.as_str(), "more than")]
    {
        // Whatever is there was judged.
        wait_until("the agent's edit", || {
            let seen = pod.judged().iter().any(|line| line.contains("mine"));
            seen.then_some(()).ok_or_else(|| "not judged".to_owned())
        });
        write(&pod, garbage);
        wait_until(why, || {
            let said = sync.status()["setAside"].as_str().unwrap_or_default().to_owned();
            if said.contains(why) { Ok(()) } else { Err(said) }
        });
        wait_for(&pod, &json!({"agents": {"model": "mine"}}));
        assert_eq!(fs::read_to_string(pod.path(COPY)).unwrap(), garbage);
        last = sync.status()["setAside"].as_str().unwrap_or_default().to_owned();
    }
    let mut expected = applied(&content);
    expected["setAside"] = json!(last);
    sync.wait_for_status(&expected);
    // Until it writes something else that is good.
    write(&pod, r#"{"agents": {"model": "better"}}"#);
    sync.wait_for_status(&applied(&content));
    assert_eq!(document(&pod), json!({"agents": {"model": "better"}}));
}

#[test]
fn what_the_agent_writes_and_the_application_refuses_makes_way() {
    let (pod, sync, content) = served(&json!({"agents": {"model": "a"}}));
    write(&pod, r#"{"agents": {"model": "bad"}}"#);
    wait_until("the copy", || {
        fs::metadata(pod.path(COPY)).map(drop).map_err(|error| error.to_string())
    });
    wait_for(&pod, &json!({"agents": {"model": "a"}}));
    let mut expected = applied(&content);
    expected["setAside"] =
        json!("openclaw.json: gateway.bind: is bad (kept as openclaw.json.refused)");
    sync.wait_for_status(&expected);
    assert_eq!(sync.get("/startupz").0, 200);
}

#[test]
fn a_merged_content_that_is_refused_leaves_the_last_good_one_and_does_not_loop() {
    let (pod, sync, good) = served(&json!({"agents": {"model": "a"}}));
    write(&pod, r#"{"agents": {"model": "a"}, "mine": 1}"#);
    let refused = publish(&pod, &json!({"agents": {"model": "bad"}}));
    let status = sync.wait_for_message("gateway.bind: is bad; what the agent has written");
    assert_eq!(status["rejectedHash"], json!(hash(&refused)));
    wait_until("the agent's edit", || {
        let status = sync.status();
        let found = (&status["appliedHash"], document(&pod));
        let expected = (&json!(hash(&good)), json!({"agents": {"model": "a"}, "mine": 1}));
        if found == expected { Ok(()) } else { Err(format!("{found:?}")) }
    });
    let judged = pod.judged().len();
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(pod.judged().len(), judged);
    let content = publish(&pod, &json!({"agents": {"model": "c"}}));
    sync.wait_for_status(&applied(&content));
    assert_eq!(document(&pod), json!({"agents": {"model": "c"}, "mine": 1}));
}

#[test]
fn a_first_content_that_is_refused_keeps_the_pod_waiting_and_the_file_as_it_is() {
    let pod = Pod::new();
    let theirs = r#"{"mine": "bad"}"#;
    write(&pod, theirs);
    publish(&pod, &json!({"agents": {"model": "a"}}));
    let sync = start(&pod);
    sync.wait_for_message("spec.config.forcePaths");
    assert_eq!(sync.get("/startupz").0, 503);
    assert_eq!(pod.read_target().as_deref(), Some(theirs));
    write(&pod, r#"{"mine": "mended"}"#);
    wait_for(&pod, &json!({"agents": {"model": "a"}, "mine": "mended"}));
    wait_until("the start", || match sync.get("/startupz").0 {
        200 => Ok(()),
        code => Err(code.to_string()),
    });
}

#[test]
fn a_write_of_what_was_read_before_does_not_undo_the_operators_change() {
    let (pod, sync, _) = served(&json!({"agents": {"model": "a"}, "old": 1}));
    let before = pod.read_target().unwrap();
    let content = publish(&pod, &json!({"agents": {"model": "a"}, "new": 1}));
    sync.wait_for_status(&applied(&content));
    let mut stale: Value = serde_json::from_str(&before).unwrap();
    stale["mine"] = json!(1);
    write(&pod, &stale.to_string());
    wait_for(&pod, &json!({"agents": {"model": "a"}, "new": 1, "mine": 1}));
}

#[test]
fn a_file_that_is_gone_comes_back_with_what_the_agent_had_in_it() {
    let (pod, _sync, _) = served(&json!({"agents": {"model": "a"}}));
    write(&pod, r#"{"agents": {"model": "a"}, "mine": 1}"#);
    wait_until("a validation", || {
        let seen = pod.judged().iter().any(|line| line.contains("mine"));
        seen.then_some(()).ok_or_else(|| "not judged".to_owned())
    });
    fs::remove_file(pod.target()).unwrap();
    wait_for(&pod, &json!({"agents": {"model": "a"}, "mine": 1}));
}

#[test]
fn links_and_records_that_lead_elsewhere_are_not_followed() {
    let pod = Pod::new();
    fs::write(pod.path("outside"), r#"{"theirs": 1}"#).unwrap();
    symlink(pod.path("outside"), pod.target()).unwrap();
    symlink(pod.path("outside"), pod.path(RECORD)).unwrap();
    let ours = json!({"agents": {"model": "a"}});
    let content = publish(&pod, &ours);
    let sync = start(&pod);
    wait_for(&pod, &ours);
    wait_until("the status", || {
        let status = sync.status();
        if status["appliedHash"] == json!(hash(&content)) {
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
    assert_eq!(fs::read_to_string(pod.path("outside")).unwrap(), r#"{"theirs": 1}"#);
    assert!(fs::symlink_metadata(pod.path(COPY)).unwrap().is_symlink());
    assert!(fs::symlink_metadata(pod.path(RECORD)).unwrap().is_file());
    drop(sync);
    // A torn record is none.
    fs::write(pod.path(RECORD), r#"{"hash": "x", "docum"#).unwrap();
    write(&pod, &json!({"agents": {"model": "mine"}, "mine": 1}).to_string());
    let sync = start(&pod);
    sync.wait_for_status(&applied(&content));
    assert_eq!(document(&pod), json!({"agents": {"model": "a"}, "mine": 1}));
}
