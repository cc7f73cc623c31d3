//! How a pod goes.

use serde_json::json;

use crate::support::agent::{APPLICATION, Agent, Ending, GATEWAY, NAME, bystander, said};
use crate::support::http;

/// A model that answers whoever asks once `/release` was asked for. `/waiting` says how many wait.
const MODEL: &str = r#"
let waiting = [];
const chunk = (delta, finish_reason) => "data: " + JSON.stringify({
    id: "1", object: "chat.completion.chunk", created: 1, model: "one",
    choices: [{index: 0, delta, finish_reason}],
}) + "\n\n";
require("http").createServer((request, response) => {
    request.resume();
    if (request.url === "/waiting") return response.end(String(waiting.length));
    if (request.url === "/release") {
        waiting.forEach(answer => answer());
        waiting = [];
        return response.end("released");
    }
    response.on("close", () => { waiting = waiting.filter(each => each !== answer); });
    const answer = () => {
        response.writeHead(200, {"content-type": "text/event-stream"});
        response.write(chunk({role: "assistant", content: "Done, at last."}, null));
        response.write(chunk({}, "stop"));
        response.end("data: [DONE]\n\n");
    };
    waiting.push(answer);
}).listen(8000);
"#;

#[tokio::test]
async fn an_eviction_respects_the_budget_and_waits_for_the_turn_in_flight() {
    let agent = Agent::nobody("drain").await;
    let model = bystander("model", "2026.9.6", &["node", "-e", MODEL]);
    let address = agent.with_bystander(&model).await;
    let ask = async |path: &str| {
        let answer = http::get(&format!("http://{address}:8000{path}")).await;
        answer.expect("the model answers").1
    };
    let provider = json!({
        "baseUrl": format!("http://{address}:8000/v1"),
        "apiKey": "none",
        "api": "openai-completions",
        "models": [{"id": "one", "name": "One"}],
    });
    let config = json!({
        "models": {"providers": {"standin": provider}},
        "agents": {"defaults": {"model": {"primary": "standin/one"}}},
    });
    let closed = json!({"podDisruptionBudget": {"maxUnavailable": 0}});
    // From the beginning, so that there is no change to wait for.
    agent.ask(&json!({"config": {"raw": config}, "availability": closed})).await;
    agent.cluster.until_ready(NAME).await;
    let turn = json!({"message": "Take your time.", "agentId": "main", "idempotencyKey": "turn"});
    let called = agent.call(GATEWAY, "agent", &turn, &agent.token());
    assert!(called.status.success(), "{}", said(&called));
    agent.cluster.until("the model is asked", async || ask("/waiting").await == "1").await;

    let refused = agent.evict().await.expect_err("the budget allows none");
    assert!(matches!(&refused, kube::Error::Api(status) if status.code == 429), "{refused:?}");
    let open = json!({"podDisruptionBudget": {"maxUnavailable": 1}});
    agent.change(&json!({"availability": open})).await;
    let ending = Ending::watch(&agent);
    agent.cluster.until("an eviction is allowed", async || agent.evict().await.is_ok()).await;
    agent.until_logged("draining active work").await;
    agent.cluster.until("the model is still asked", async || ask("/waiting").await == "1").await;
    assert!(agent.exec(APPLICATION, &["true"]).status.success());
    assert_eq!(ask("/release").await, "released");
    assert_eq!(ending.exit_code().await, Some(0));
    agent.end().await;
}
