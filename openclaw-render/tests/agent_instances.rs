//! What an `AgentInstance` becomes, and what is said of one that cannot.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::format_push_string,
    reason = "tests read fixtures, and what is missing in a test is a failed test"
)]

#[path = "support/fixtures.rs"]
mod fixtures;

use std::collections::BTreeSet;

use openclaw_play::ApiServer;
use openclaw_render::api::{AgentInstance, AgentInstanceSpec, Phase};
use openclaw_render::{
    AgentPlan, AgentWorld, Fact, Settings, hash, instance_of_agent, owned_hash, plan_agent,
    render_instance,
};
use serde_json::{Value, json};

#[test]
fn every_agent_becomes_the_instance_of_its_snapshot() {
    let mut expected = BTreeSet::new();
    for fixture in fixtures::all("agent-instances") {
        let mut text = String::new();
        let told = fixture.documents.problems.iter().map(|found| found.value.clone());
        let mut problems: Vec<_> = told.collect();
        for of in &fixture.documents.instances {
            let instance = serde_json::to_value(&of.value).expect("JSON");
            text += "---\n";
            text += &serde_saphyr::to_string(&instance).expect("YAML");
            let observed = fixture.observed(&of.value);
            let (_, found) = render_instance(&of.value, &observed, &Settings::default());
            problems.extend(found.into_iter().map(|problem| fixture.documents.told(of, problem)));
        }
        text += &fixtures::lines(&problems);
        fixtures::assert_snapshot("agent-instances", &fixture.name, &text);
        expected.insert(format!("{}.snap", fixture.name));
    }
    let kept = fixtures::names_in(&fixtures::top_level("snapshots/agent-instances"));
    assert_eq!(kept, expected, "stale or missing snapshots");
}

#[test]
fn whatever_stands_in_the_texts_of_an_agent_it_is_refused_or_taken_literally() {
    let hostile =
        ["", "a", "a:b:c", "@", "a@@", ":", "/", "a/\n", "é", "${A}", "-", "[", &"a:".repeat(99)];
    for text in hostile {
        for other in hostile {
            let spec = AgentInstanceSpec {
                agent_id: Some(text.to_owned()),
                image: Some(other.to_owned()),
                ..Default::default()
            };
            let (instance, problems) = instance_of_agent(&AgentInstance::new("ada", spec));
            assert_eq!(instance.is_none(), !problems.is_empty(), "{text:?} {other:?}");
        }
    }
}

/// The first agent of a fixture, as the API server has it.
fn stored(fixture: &str, edit: &Value) -> Value {
    let path = fixtures::top_level(&format!("fixtures/agent-instances/{fixture}.yaml"));
    let text = std::fs::read_to_string(path).expect("the fixture is read");
    let mut live = fixtures::values(&text).swap_remove(0);
    live["metadata"]["uid"] = json!("7d2c1f4e-0000-4000-8000-000000000001");
    live["metadata"]["generation"] = json!(3);
    merge(&mut live, edit);
    live
}

fn merge(into: &mut Value, from: &Value) {
    let Some(fields) = from.as_object() else {
        *into = from.clone();
        return;
    };
    for (name, value) in fields {
        if !into[name].is_object() {
            into[name] = json!({});
        }
        merge(&mut into[name], value);
    }
}

/// The instance that was applied, and what its own pass says of it.
fn applied(sent: &Value, generation: i64, status: Value) -> Value {
    let mut server = ApiServer::default();
    let mut live = server.apply(sent, "openclaw-operator", true).expect("it is taken");
    live["metadata"]["uid"] = json!("uid-of-the-instance");
    live["metadata"]["generation"] = json!(generation);
    live["status"] = status;
    live
}

fn running(generation: i64) -> Value {
    json!({
        "phase": "Running", "observedGeneration": generation,
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "Reconciled", "message": "it is ready",
            "observedGeneration": generation, "lastTransitionTime": "2026-11-01T00:00:00Z",
        }, {
            "type": "SelfConfigReady", "status": "False", "reason": "X",
            "message": "spec.selfConfigure: is not there; spec.image.tag: is no tag",
            "observedGeneration": generation, "lastTransitionTime": "2026-11-01T00:00:00Z",
        }],
    })
}

fn plan_of(live: &Value, instance: Fact<Value>) -> AgentPlan {
    let now = Some("2026-11-02T00:00:00Z".parse().expect("a time"));
    plan_agent(live, None, &AgentWorld { instance, now, ..AgentWorld::default() })
}

/// What is said of the agent itself, and every other condition.
fn briefly(plan: &AgentPlan) -> String {
    let all = said(plan);
    let lines = all.iter().map(|line| match line.split_once(": ") {
        Some((brief, _)) if !line.starts_with("Converted") => brief,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n  ")
}

/// Type, status, reason and message of every condition.
fn said(plan: &AgentPlan) -> Vec<String> {
    let all = plan.status.conditions.iter().flatten();
    all.map(|it| format!("{}={}/{}: {}", it.type_, it.status, it.reason, it.message)).collect()
}

#[test]
fn an_agent_is_made_followed_and_said_of_what_its_instance_says() {
    let live = stored("small", &json!({}));
    let plan = plan_of(&live, Fact::Absent);
    let sent = plan.apply.clone().expect("it is made");
    assert_eq!(sent["metadata"]["ownerReferences"][0]["uid"], live["metadata"]["uid"]);
    assert_eq!(
        (plan.status.phase, plan.status.observed_generation),
        (Some(Phase::Provisioning), None)
    );

    // Its own pass has not looked at it yet.
    let plan = plan_of(&live, Fact::Known(applied(&sent, 2, json!({}))));
    assert_eq!((plan.apply.as_ref(), plan.status.observed_generation), (None, None));
    let there = applied(&sent, 2, running(2));
    let plan = plan_of(&live, Fact::Known(there.clone()));
    assert_eq!(
        (plan.status.phase, plan.status.observed_generation),
        (Some(Phase::Running), Some(3))
    );
    insta::assert_snapshot!(said(&plan).join("\n"), @r"
    Converted=True/Applied: OpenClawInstance/ada is as this object says
    Ready=True/Reconciled: it is ready
    SelfConfigReady=False/X: spec.skills.autoInstall: is not there; spec.image: is no tag
    ");

    // At rest nothing is written.
    let mut at_rest = live.clone();
    at_rest["status"] = plan.news(&live).expect("news");
    let again = plan_of(&at_rest, Fact::Known(there.clone()));
    assert_eq!((again.news(&at_rest), again.events.len(), again.apply), (None, 0, None));

    // An edit is sent to that very object, and what was said does not count for it.
    let mut edited = at_rest.clone();
    merge(&mut edited, &json!({"metadata": {"generation": 4}, "spec": {"image": "a/b:2026.9.7"}}));
    let plan = plan_of(&edited, Fact::Known(there.clone()));
    let again = plan.apply.expect("it is sent");
    assert_eq!(again["metadata"]["uid"], "uid-of-the-instance");
    assert_eq!(again["spec"]["image"]["repository"], "a/b");
    assert_eq!(plan.status.observed_generation, Some(3));

    // What the API server stores otherwise is not sent for ever.
    let mut bent = applied(&sent, 2, running(2));
    bent["spec"]["image"]["tag"] = json!("bent");
    assert!(plan_of(&live, Fact::Known(bent.clone())).apply.is_some());
    let unsettled = Some((hash(&sent), owned_hash(&bent, "openclaw-operator")));
    let world = AgentWorld { instance: Fact::Known(bent), unsettled, ..AgentWorld::default() };
    assert_eq!(plan_agent(&live, None, &world).apply, None);
}

#[test]
fn what_is_in_the_way_of_an_agent_is_said_and_left_alone() {
    let live = stored("small", &json!({}));
    let sent = plan_of(&live, Fact::Absent).apply.expect("it is made");
    let there = applied(&sent, 2, running(2));
    let mut of_others = there.clone();
    of_others["metadata"]["ownerReferences"][0]["uid"] = json!("another");
    let mut going = there.clone();
    going["metadata"]["deletionTimestamp"] = json!("2026-11-02T00:00:00Z");
    let ending =
        stored("small", &json!({"metadata": {"deletionTimestamp": "2026-11-02T00:00:00Z"}}));
    let wrong = stored("wrong", &json!({}));
    let undecodable = stored("small", &json!({"spec": {"resources": 5}}));
    let mut text = String::new();
    for (name, live, instance) in [
        ("somebody else's", &live, Fact::Known(of_others)),
        ("being deleted", &live, Fact::Known(going)),
        ("agent deleted", &ending, Fact::Known(there.clone())),
        ("wrong, new", &wrong, Fact::Absent),
        ("wrong, was right", &wrong, Fact::Known(there.clone())),
        ("undecodable", &undecodable, Fact::Known(there.clone())),
    ] {
        let plan = plan_of(live, instance);
        assert_eq!(plan.apply, None, "{name}");
        let events: Vec<&str> = plan.events.iter().map(|it| it.reason.as_str()).collect();
        text += &format!("{name}: {:?} {events:?}\n  {}\n", plan.status.phase, briefly(&plan));
    }
    assert_eq!(plan_of(&live, Fact::Unknown).news(&live), None, "nothing is known");
    let refused = Some("quota".to_owned());
    let world = AgentWorld { instance: Fact::Absent, refused, ..AgentWorld::default() };
    let plan = plan_agent(&live, None, &world);
    text += &format!("refused: {:?}\n  {}\n", plan.status.phase, briefly(&plan));
    insta::assert_snapshot!(text, @r##"
    somebody else's: Some(Failed) ["NameTaken"]
      Converted=False/NameTaken: OpenClawInstance/ada is there and not made for this agent: it is left alone; delete it, or give this object another name
      NameConflict=True/NameTaken
      Ready=False/NameTaken
    being deleted: Some(Running) []
      Converted=False/NotApplied: OpenClawInstance/ada is being deleted, and is made anew once it is gone
      Ready=True/Reconciled
      SelfConfigReady=False/X
    agent deleted: Some(Terminating) ["Terminating"]
      Converted=False/Terminating: the agent is being deleted, and OpenClawInstance/ada with it
      Ready=False/Terminating
      SelfConfigReady=False/X
    wrong, new: Some(Failed) ["InvalidSpec"]
      Converted=False/InvalidSpec: spec.image: "https://ghcr.io/openclaw/openclaw:2026.9.6" is not an image: write `repository:tag`, `repository@sha256:…` or `repository`; spec.agentId: "-Scribe" is not the id of an agent: write at most 64 lower-case letters, digits, `_` and `-`, no `-` in front; spec.skills.allowedSources: advice: has no effect without `autoInstall`: the agent adds no skills, from wherever
      Ready=False/InvalidSpec
    wrong, was right: Some(Failed) ["InvalidSpec"]
      Converted=False/InvalidSpec: spec.image: "https://ghcr.io/openclaw/openclaw:2026.9.6" is not an image: write `repository:tag`, `repository@sha256:…` or `repository`; spec.agentId: "-Scribe" is not the id of an agent: write at most 64 lower-case letters, digits, `_` and `-`, no `-` in front; spec.skills.allowedSources: advice: has no effect without `autoInstall`: the agent adds no skills, from wherever
      Ready=False/InvalidSpec
      SelfConfigReady=False/X
    undecodable: Some(Failed) ["InvalidSpec"]
      Converted=False/InvalidSpec: spec.resources: is a number, and a map is wanted: write it as `resources: { limits: …, requests: … }`
      Ready=False/InvalidSpec
      SelfConfigReady=False/X
    refused: Some(Failed)
      Converted=False/ApplyRefused: the API server refuses OpenClawInstance/ada: quota
      Ready=False/ApplyRefused
    "##);
    // Whatever is stored, a pass ends.
    for live in [json!(null), json!({}), json!([]), json!({"metadata": 1, "spec": [], "status": 2})]
    {
        let plan = plan_of(&live, Fact::Absent);
        assert_eq!(plan.status.phase == Some(Phase::Failed), plan.apply.is_none(), "{live}");
    }
}
