//! The browser beside an agent.

use serde_json::{Value, json};

use crate::support::agent::{Agent, NAME, bystander, said};
use crate::support::fixtures::Fixture;
use crate::support::http;
use crate::support::models::{Models, turn};

/// A page that tells who was here before, by a cookie that it gives to whoever comes.
const PAGE: &str = r#"
const seen = [];
require("http").createServer((request, response) => {
    if (request.url === "/seen") return response.end(seen.join("\n"));
    if (request.url !== "/") return response.writeHead(404).end();
    seen.push(`${request.headers["user-agent"]} | ${request.headers.cookie ?? "a stranger"}`);
    response.setHeader("set-cookie", "visitor=ada; Max-Age=86400");
    response.setHeader("content-type", "text/html");
    response.end("<title>The page</title><h1>Written by a script: <script>document.write(6 * 7)</script></h1>");
}).listen(8080);
"#;

fn spec(models: &Models, tag: &str) -> Value {
    let mut config = models.configuration();
    config["tools"] = json!({"toolSearch": false});
    // The page has an address of this cluster.
    config["browser"] = json!({"ssrfPolicy": {"dangerouslyAllowPrivateNetwork": true}});
    // The one that the node has.
    let fixture = Fixture::named("chromium");
    let image = &fixture.instance()["spec"]["chromium"]["image"];
    json!({
        "image": {"tag": tag},
        "config": {"raw": config},
        "env": [{"name": "MODEL_KEY", "value": "none"}],
        "chromium": {
            "enabled": true,
            "image": image,
            "persistence": {"enabled": true},
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
            "extraArgs": ["--user-agent=Claw"],
        },
    })
}

#[tokio::test]
async fn an_agent_reads_a_page_with_its_browser_which_nobody_else_reaches_and_stays_signed_in() {
    let agent = Agent::nobody("browser").await;
    let models = Models::beside(&agent).await;
    let page = bystander("page", "2026.9.6", &["node", "-e", PAGE]);
    let page = agent.with_bystander(&page).await;
    let visits = async || {
        let seen = http::get(&format!("http://{page}:8080/seen")).await;
        seen.expect("the page is served").1
    };
    agent.ask(&spec(&models, "2026.9.6")).await;
    agent.cluster.until_ready(NAME).await;

    let look = |message: &str| {
        let call = json!({"action": "open", "targetUrl": format!("http://{page}:8080/")});
        let opened = turn(&agent, "main", &format!("{message}: Use the tool browser with {call}"));
        assert!(said(&opened).contains("The tool says"), "{}", said(&opened));
        let call = json!({"action": "snapshot"});
        said(&turn(
            &agent,
            "main",
            &format!("{message}, what is there? Use the tool browser with {call}"),
        ))
    };
    let read = look("First");
    assert!(read.contains("Written by a script: 42"), "{read}");
    assert_eq!(visits().await, "Claw | a stranger");

    // Its commands are for the pod alone.
    let pod = agent.pod().await;
    let address = pod["status"]["podIP"].as_str().expect("an address");
    let ask = format!("http://{address}:9222/json/version");
    assert_eq!(http::get(&ask).await, None);
    let fetch = format!("fetch('{ask}').then(() => process.exit(1), () => process.exit(0))");
    let stranger = agent.kubectl(&["exec", "page", "--", "node", "-e", &fetch]);
    assert!(stranger.status.success(), "{}", said(&stranger));
    let fetch =
        "fetch('http://127.0.0.1:9222/json/version').then(it => process.exit(it.ok ? 0 : 1))";
    agent.run(&["node", "-e", fetch]);

    agent.delete_pod().await;
    let read = look("Again");
    assert!(read.contains("Written by a script: 42"), "{read}");
    assert_eq!(visits().await, "Claw | a stranger\nClaw | visitor=ada");
    agent.end().await;
}
