//! What a request of an agent would change, and what becomes of what earlier ones changed.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests read fixtures, and what is missing in a test is a failed test"
)]

#[path = "support/fixtures.rs"]
mod fixtures;

use openclaw_play::api_server::{ApiServer, Refusal};
use openclaw_render::api::{OpenClawSelfConfig, SelfConfigPhase, SelfConfigSpec};
use openclaw_render::vocab::SELF_CONFIG_MANAGER;
use openclaw_render::{
    Answer, Overwrites, Verdict, answer_request, changed_by_others, judge_request, last_writer,
};
use serde_json::{Value, json};

/// An instance to which one request added a skill, a key, a file and a variable.
fn live() -> Value {
    let requested = json!({"f:spec": {
        "f:skills": {"v:\"@team/weather\"": {}},
        "f:config": {"f:raw": {"f:session": {"f:scope": {}}}},
        "f:workspace": {"f:initialFiles": {"f:NOTES.md": {}}},
        "f:env": {"k:{\"name\":\"TIMEZONE\"}": {".": {}, "f:name": {}, "f:value": {}}},
    }});
    json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
        "metadata": {"name": "ada", "namespace": "agents", "managedFields": [{
            "manager": "openclaw-selfconfig", "operation": "Apply",
            "apiVersion": "openclaw.rocks/v1alpha1",
            "fieldsType": "FieldsV1", "fieldsV1": requested,
        }]},
        "spec": {
            "skills": ["@team/declared", "@team/weather"],
            "config": {"raw": {"session": {"scope": "global"}, "logging": {"level": "debug"}}},
            "workspace": {"initialFiles": {"NOTES.md": "a", "SOUL.md": "b"}},
            "env": [{"name": "TIMEZONE", "value": "UTC"}, {"name": "LOG_LEVEL", "value": "info"}],
            "selfConfigure": {
                "enabled": true,
                "allowedActions": ["skills", "config", "workspaceFiles", "envVars"],
            },
        },
    })
}

fn judge(spec: Value, live: &Value) -> Verdict {
    let spec: SelfConfigSpec = serde_json::from_value(spec).expect("a request");
    judge_request(&OpenClawSelfConfig::new("one", spec), live)
}

/// The spec that is applied, and what was left out.
fn applied(spec: Value) -> (Value, Vec<String>) {
    match judge(spec, &live()) {
        Verdict::Apply { part, left_out } => {
            (part["spec"].clone(), left_out.iter().map(ToString::to_string).collect())
        }
        refused @ (Verdict::Denied(_) | Verdict::Failed(_)) => panic!("{refused:?}"),
    }
}

#[test]
fn a_request_of_one_kind_keeps_what_earlier_ones_of_other_kinds_added() {
    let (part, left_out) =
        applied(json!({"instanceRef": "ada", "addEnvVars": [{"name": "A", "value": "b"}]}));
    let expected = json!({
        "skills": ["@team/weather"],
        "config": {"raw": {"session": {"scope": "global"}}},
        "workspace": {"initialFiles": {"NOTES.md": "a"}},
        "env": [{"name": "TIMEZONE", "value": "UTC"}, {"name": "A", "value": "b"}],
    });
    assert_eq!((part, left_out), (expected, vec![]));
}

#[test]
fn only_what_a_request_added_is_removed_by_one() {
    let (part, left_out) = applied(json!({
        "instanceRef": "ada",
        "removeSkills": ["@team/weather", "@team/declared"],
        "removeWorkspaceFiles": ["NOTES.md", "SOUL.md"],
        "removeEnvVars": ["TIMEZONE", "LOG_LEVEL"],
        "configPatch": {"session": {"scope": null}, "logging": {"level": null}},
    }));
    assert_eq!(part, json!({"config": {"raw": {"session": {}, "logging": {}}}}));
    assert_eq!(
        left_out,
        [
            "spec.removeSkills[1]: advice: is left as it is: no request added it",
            "spec.removeWorkspaceFiles[1]: advice: is left as it is: no request added it",
            "spec.removeEnvVars[1]: advice: is left as it is: no request added it",
        ]
    );
}

#[test]
fn a_request_may_change_what_an_earlier_one_added_and_nothing_else() {
    let (part, _) = applied(json!({
        "instanceRef": "ada",
        "addWorkspaceFiles": {"NOTES.md": "new"},
        "addEnvVars": [{"name": "TIMEZONE", "value": "CET"}],
    }));
    assert_eq!(part["workspace"]["initialFiles"], json!({"NOTES.md": "new"}));
    assert_eq!(part["env"], json!([{"name": "TIMEZONE", "value": "CET"}]));
    let foreign = judge(
        json!({"instanceRef": "ada", "addEnvVars": [{"name": "LOG_LEVEL", "value": "debug"}]}),
        &live(),
    );
    assert!(matches!(foreign, Verdict::Failed(problems) if problems.len() == 1));
}

#[test]
fn an_instance_that_takes_no_requests_denies_everything() {
    let mut live = live();
    for policy in [json!(null), json!({"enabled": false}), json!({"enabled": true}), json!(7)] {
        live["spec"]["selfConfigure"] = policy;
        let verdict = judge(json!({"instanceRef": "ada", "addSkills": ["@team/a"]}), &live);
        assert!(matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
    }
    assert!(matches!(judge(json!({"instanceRef": "ada"}), &json!(null)), Verdict::Denied(_)));
}

#[test]
fn a_source_is_allowed_by_whole_segments() {
    let mut live = live();
    let code = |allowed: &str, skill: &str, live: &mut Value| {
        live["spec"]["selfConfigure"]["allowedSkillSources"] = json!([allowed]);
        let verdict = judge(json!({"instanceRef": "ada", "addSkills": [skill]}), live);
        matches!(verdict, Verdict::Apply { .. })
    };
    for (allowed, skill, expected) in [
        ("github.com/example", "pack:example/packs/a", true),
        ("github.com/Example/", "pack:example/packs/a", true),
        ("github.com/exam", "pack:example/packs/a", false),
        ("github.com/example/packs", "pack:example/other/a", false),
        ("npmjs.com/@team", "npm:@team/a@1.0.0", true),
        ("npmjs.com/@team", "npm:team", false),
        ("clawhub.ai", "@team/a", true),
        ("clawhub.ai/@team", "weather", false),
        ("", "weather", false),
        ("/", "weather", false),
    ] {
        assert_eq!(code(allowed, skill, &mut live), expected, "{allowed} {skill}");
    }
}

#[test]
fn what_would_become_of_requests_among_manifests_is_told() {
    for fixture in fixtures::all("requests") {
        let problems: Vec<_> =
            fixture.documents.problems.iter().map(|found| found.value.clone()).collect();
        fixtures::assert_snapshot("requests", &fixture.name, &fixtures::lines(&problems));
    }
}

/// A request as it is stored.
fn stored(spec: Value) -> Value {
    let mut spec = spec;
    spec["instanceRef"] = json!("ada");
    json!({"metadata": {"name": "one", "namespace": "agents"}, "spec": spec})
}

fn answer(spec: Value, instance: &Value) -> Answer {
    let now = Some("2026-11-01T00:00:00.5Z".parse().expect("a time"));
    answer_request(&stored(spec), None, instance, now)
}

/// Phase and message, and what is told at the instance.
fn said(answer: &Answer) -> String {
    let status = serde_json::to_value(&answer.status).expect("JSON");
    let events: Vec<String> =
        answer.events.iter().map(|it| format!("\n  {}: {}", it.reason, it.message)).collect();
    format!("{} {}{}", status["phase"], status["message"], events.concat())
}

#[test]
fn a_request_is_carried_out_once_and_that_somebody_undoes_it_is_seen() {
    let mut server = ApiServer::default();
    let mut mine = live();
    mine["metadata"].as_object_mut().expect("metadata").remove("managedFields");
    mine["spec"]["skills"] = json!(["@team/declared"]);
    mine["spec"]["env"] = json!([]);
    mine["spec"]["config"] = json!({"raw": {"logging": {"level": "debug"}}});
    mine["spec"]["workspace"] = json!({});
    let instance = server.apply(&mine, "a-user", false).expect("taken");
    assert_eq!(changed_by_others(&instance), None);

    let asked = json!({
        "addSkills": ["@team/weather"], "addEnvVars": [{"name": "A", "value": "b"}],
        "configPatch": {"cron": {"enabled": true}},
    });
    let first = answer(asked.clone(), &instance);
    insta::assert_snapshot!(said(&first), @r#"
    "Applied" "it is in the instance's spec"
      SelfConfigApplied: request one: it is in the instance's spec
    "#);
    let part = first.apply.expect("something to do");
    let applied = server.apply(&part, SELF_CONFIG_MANAGER, false).expect("nobody else has it");
    assert_eq!(changed_by_others(&applied), None);
    // After a crash, the same again changes nothing.
    let again = answer(asked, &applied);
    assert_eq!((again.apply, again.status.phase), (None, Some(SelfConfigPhase::Applied)));
    assert!(again.events.is_empty());

    // Who declares other things changes nothing of it; who replaces the list does.
    mine["spec"]["skills"] = json!(["@team/declared", "@team/other"]);
    let declared = server.apply(&mine, "a-user", false).expect("taken");
    assert_eq!(changed_by_others(&declared), None);
    let mut replaced = declared.clone();
    replaced["spec"]["skills"] = json!(["@team/declared"]);
    let replaced = server.update(&replaced, "argocd").expect("taken");
    let change = changed_by_others(&replaced).expect("it is seen");
    assert_eq!(
        last_writer(&json!({"metadata": {"managedFields": [
            {"manager": "a-user", "time": "2026-11-01T00:00:00Z"},
            {"manager": "argocd", "time": "2026-11-02T00:00:00Z"},
            {"manager": "openclaw-selfconfig", "time": "2026-11-02T00:00:00Z"},
            {"manager": "openclaw-operator", "time": "2026-11-03T00:00:00Z"},
        ]}})),
        Some("argocd")
    );

    // What is left can be removed, and then nothing is noted any more.
    let left = answer(json!({"removeEnvVars": ["A"], "configPatch": {"cron": null}}), &replaced);
    let last = left.apply.expect("something to do");
    let last = server.apply(&last, SELF_CONFIG_MANAGER, false).expect("taken");
    assert_eq!(changed_by_others(&last), None);
    assert_eq!(last["spec"]["config"], json!({"raw": {"logging": {"level": "debug"}}}));
    assert_ne!(change.0, change.1);
}

#[test]
fn what_another_declared_is_not_taken_from_him() {
    let mut server = ApiServer::default();
    let mut mine = live();
    mine["metadata"].as_object_mut().expect("metadata").remove("managedFields");
    let instance = server.apply(&mine, "flux", false).expect("taken");
    let taken = answer(json!({"configPatch": {"logging": {"level": "info"}}}), &instance);
    let part = taken.apply.expect("the keys of a configuration are the API server's matter");
    let refused = server.apply(&part, SELF_CONFIG_MANAGER, false);
    assert!(matches!(refused, Err(Refusal::Conflict(_))), "{refused:?}");
}

#[test]
fn what_is_not_carried_out_says_why() {
    let instance = live();
    let mut told = Vec::new();
    for spec in [
        json!({"addEnvVars": [{"name": "PATH", "value": "/"}]}),
        json!({"removeSkills": ["@team/declared"], "addEnvVars": [{"name": "A", "value": "b"}]}),
        json!({"addSkills": 5}),
    ] {
        told.push(said(&answer(spec, &instance)));
    }
    let mut closed = live();
    closed["spec"]["selfConfigure"]["allowedActions"] = json!(["skills"]);
    told.push(said(&answer(json!({"configPatch": {}}), &closed)));
    insta::assert_snapshot!(told.join("\n"), @r#"
    "Failed" "spec.addEnvVars[0].name: PATH is protected: no request may set it"
    "Applied" "it is in the instance's spec; spec.removeSkills[0]: advice: is left as it is: no request added it"
      SelfConfigSkippedRemoval: request one: spec.removeSkills[0]: advice: is left as it is: no request added it
      SelfConfigApplied: request one: it is in the instance's spec
    "Failed" "it does not decode: invalid type: integer `5`, expected a sequence"
    "Denied" "spec.configPatch: `config` is not in the instance's `allowedActions`"
      SelfConfigDenied: request one: spec.configPatch: `config` is not in the instance's `allowedActions`
    "#);
    for hostile in [json!(null), json!([]), json!({"spec": 1}), json!({"metadata": [], "spec": {}})]
    {
        let answer = answer_request(&hostile, None, &hostile, None);
        assert_eq!(answer.apply, None, "{hostile}");
    }
}

#[test]
fn two_changes_by_others_within_ten_minutes_end_it_for_an_hour() {
    let at = |second: i64| jiff::Timestamp::from_second(1_800_000_000 + second).expect("a time");
    let change = |number: u8| (format!("noted-{number}"), "left".to_owned());
    let mut overwrites = Overwrites::default();
    assert!(overwrites.note(change(1), Some("argocd"), at(0)).is_some());
    assert_eq!(overwrites.note(change(1), Some("argocd"), at(1)), None, "told once");
    assert_eq!(overwrites.stopped(at(1)), None);
    assert!(overwrites.note(change(2), Some("argocd"), at(700)).is_some());
    assert_eq!(overwrites.stopped(at(700)), None, "long after the first one");
    let event = overwrites.note(change(3), Some("argocd"), at(1299)).expect("it is told");
    assert!(event.message.starts_with("\"argocd\" changed 2 times"), "{}", event.message);
    assert!(overwrites.stopped(at(1299 + 3599)).is_some());
    assert_eq!(overwrites.stopped(at(1299 + 3600)), None);
    // A restart forgets neither.
    let told: Vec<_> = serde_json::from_value(json!([{
        "type": "SelfConfigReady", "status": "False", "reason": "Overwritten", "message": "why",
        "lastTransitionTime": at(0).to_string(),
    }]))
    .expect("conditions");
    assert_eq!(Overwrites::of_conditions(&told).stopped(at(3599)), Some("why"));
    assert_eq!(Overwrites::of_conditions(&told).stopped(at(3600)), None);
}
