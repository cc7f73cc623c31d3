//! A stand-in for providers of models, with chat completions, as a pod beside an agent.

use std::process::Output;

use serde_json::{Value, json};

use super::agent::{APPLICATION, Agent, GATEWAY, bystander, said};
use super::http;

/// Answers below `/answers`, with an error below `/fails`, and never below `/hangs`. Who is told to
/// use a tool does, and answers with what it said. `/seen` tells who asked for what.
const SERVER: &str = r#"
const seen = [];
const text = content => [content].flat().map(part => part?.text ?? part ?? "").join("");
const reply = (model, messages) => {
    // The application adds a word of its own.
    const last = messages.findLast(each => !text(each.content).startsWith("<<<BEGIN_OPENCLAW"));
    if (last.role === "tool") return { content: `The tool says: ${text(last.content)}` };
    const wish = /Use the tool (\w+) with (\{.*\})/s.exec(text(last.content));
    if (!wish) return { content: `Here is ${model}.` };
    const call = { name: wish[1], arguments: wish[2] };
    return { tool_calls: [{ index: 0, id: `call_${seen.length}`, type: "function", function: call }] };
};
require("http").createServer(async (request, response) => {
    if (request.url === "/seen") return response.end(JSON.stringify(seen));
    let body = "";
    for await (const part of request) body += part;
    const { model, messages } = JSON.parse(body);
    const said = messages.filter(each => each.role === "user").map(each => text(each.content));
    const way = request.url.split("/")[1];
    seen.push({ way, model, said, key: request.headers.authorization });
    if (way === "hangs") return;
    if (way === "fails") {
        response.writeHead(500, { "content-type": "application/json" });
        return response.end(JSON.stringify({ error: { message: "out of order" } }));
    }
    const delta = { role: "assistant", ...reply(model, messages) };
    const reason = delta.tool_calls ? "tool_calls" : "stop";
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const choice of [{ delta, finish_reason: null }, { delta: {}, finish_reason: reason }]) {
        const choices = [{ index: 0, ...choice }];
        const chunk = { id: "1", object: "chat.completion.chunk", created: 1, model, choices };
        response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    }
    response.end("data: [DONE]\n\n");
}).listen(8000);
"#;

/// Where nobody listens.
const CLOSED: u16 = 8001;

/// The stand-in. It runs until the namespace goes.
pub struct Models {
    address: String,
}

impl Models {
    pub async fn beside(agent: &Agent) -> Self {
        let pod = bystander("models", "2026.9.6", &["node", "-e", SERVER]);
        let address = agent.with_bystander(&pod).await;
        let models = Self { address };
        let serves = async || http::get(&models.url("/seen")).await.is_some();
        agent.cluster.until("the models are served", serves).await;
        models
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}:8000{path}", self.address)
    }

    /// A provider in openclaw.json, with one model `one`: that `answers`, `fails`, `hangs`, or
    /// `refuses` connections.
    pub fn provider(&self, way: &str) -> Value {
        let url = match way {
            "refuses" => format!("http://{}:{CLOSED}/v1", self.address),
            way => self.url(&format!("/{way}/v1")),
        };
        json!({
            "baseUrl": url,
            "apiKey": "${MODEL_KEY}",
            "api": "openai-completions",
            "timeoutSeconds": 30,
            "models": [{"id": format!("{way}-one"), "name": "One"}],
        })
    }

    /// What openclaw.json says of one that answers.
    pub fn configuration(&self) -> Value {
        json!({
            "models": {"providers": {"standin": self.provider("answers")}},
            "agents": {"defaults": {"model": {"primary": "standin/answers-one"}}},
        })
    }

    /// What providers were asked for so far, in order.
    pub async fn seen(&self) -> Vec<Value> {
        let (_, text) = http::get(&self.url("/seen")).await.expect("the models answer");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// Has an agent of the application take a turn, and waits for its end.
pub fn turn(agent: &Agent, who: &str, message: &str) -> Output {
    let key = format!("{who}: {message}");
    let parameters = json!({"message": message, "agentId": who, "idempotencyKey": key});
    let parameters = parameters.to_string();
    let token = agent.token();
    let call = ["openclaw", "gateway", "call", "agent", "--expect-final", "--json"];
    let with =
        ["--timeout", "240000", "--token", &token, "--url", GATEWAY, "--params", &parameters];
    agent.exec(APPLICATION, &[&call[..], &with[..]].concat())
}

/// Says something to the agent that runs, by the name of the last of these: the model is told it
/// together with what was said to the ones before.
pub async fn assert_remembered(agent: &Agent, models: &Models, names: &[&str]) {
    let words = |name: &&str| format!("Said to {name}.");
    let answer = turn(agent, "main", &words(names.last().expect("one")));
    assert!(said(&answer).contains("Here is answers-one."), "{names:?}: {}", said(&answer));
    let seen = models.seen().await;
    let heard = seen.last().expect("a request")["said"].to_string();
    for words in names.iter().map(words) {
        assert!(heard.contains(&words), "{words} is not in {heard}");
    }
}
