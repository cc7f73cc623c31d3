//! Models, and the keys that they are asked with.

use std::thread;

use openclaw_render::Kind;
use openclaw_render::vocab::paths::{CONFIG_FILE, HOME};
use serde_json::{Value, json};

use crate::support::agent::{Agent, NAME, lives, said};
use crate::support::models::{Models, turn};
use crate::support::pods::Pods;

const WAYS: [&str; 4] = ["answers", "fails", "refuses", "hangs"];

/// An agent of the application for each way of its first model, with one that answers behind it.
fn configuration(models: &Models) -> Value {
    let providers: Value =
        WAYS.iter().map(|way| ((*way).to_owned(), models.provider(way))).collect();
    let agent = |way: &&str| {
        let model = json!({
            "primary": format!("{way}/{way}-one"), "fallbacks": ["answers/answers-one"],
        });
        ((*way).to_owned(), json!({"model": model}))
    };
    let agents: Value = WAYS.iter().map(agent).collect();
    json!({
        "models": {"providers": providers},
        "agents": {"ownership": "explicit", "entries": agents},
    })
}

fn keys(model: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "keys"},
        "stringData": {"MODEL_KEY": model, "TELEGRAM_BOT_TOKEN": "123456:the-channel"},
    })
}

#[tokio::test]
async fn an_agent_answers_from_its_model_or_the_next_and_a_new_key_is_used_at_once() {
    let agent = Agent::nobody("providers").await;
    let models = Models::beside(&agent).await;
    agent.cluster.apply(&keys("the-first-key")).await.expect("the Secret is taken");
    agent
        .ask(&json!({
            "envFrom": [{"secretRef": {"name": "keys"}}],
            "config": {"raw": configuration(&models)},
        }))
        .await;
    agent.cluster.until_ready(NAME).await;

    let answers = thread::scope(|scope| {
        let started = WAYS.map(|way| scope.spawn(|| turn(&agent, way, "Who is there?")));
        started.map(|turn| turn.join().expect("no panic"))
    });
    for (way, answer) in WAYS.iter().zip(&answers) {
        assert!(said(answer).contains("Here is answers-one."), "{way}: {}", said(answer));
    }
    let seen = models.seen().await;
    for way in ["answers", "fails", "hangs"] {
        let asked = seen.iter().find(|each| each["way"] == way);
        assert_eq!(asked.map(|each| &each["key"]), Some(&json!("Bearer the-first-key")), "{way}");
    }

    // The token of a channel is a variable, and nothing else.
    let token = "123456:the-channel";
    assert_eq!(agent.run(&["printenv", "TELEGRAM_BOT_TOKEN"]), format!("{token}\n"));

    let find = format!("grep -rl --devices=skip --fixed-strings -- '{token}' {HOME}; true");
    assert_eq!(agent.run(&["sh", "-c", &find]), "");
    let config = agent.cluster.get(Kind::ConfigMap, "ada-config").await.expect("it is there");
    for text in [config.to_string(), agent.run(&["cat", CONFIG_FILE])] {
        assert!(!text.contains(token) && !text.contains("the-first-key"), "{text}");
    }

    let pods = Pods::watch(&agent.cluster);
    let (first, _) = lives(&agent.pod().await);
    agent.cluster.apply(&keys("the-second-key")).await.expect("the Secret is taken");
    agent.until_replaced(&first).await;
    let answer = turn(&agent, "answers", "Who is there now?");
    assert!(said(&answer).contains("Here is answers-one."), "{}", said(&answer));
    let seen = models.seen().await;
    assert_eq!(seen.last().expect("a request")["key"], "Bearer the-second-key");
    assert_eq!(pods.count(), 2);
    agent.end().await;
}
