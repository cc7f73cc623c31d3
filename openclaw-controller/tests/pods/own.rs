//! What an agent that may ask for changes of itself reaches with its token.

use serde_json::json;

use crate::support::agent::{Agent, NAME, lives};
use crate::support::fixtures::Fixture;

/// Asks the API server with the token of the pod for each of the paths. Prints the codes.
const ASK: &str = r#"
const { readFileSync } = require("fs");
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
const token = readFileSync("/var/run/secrets/kubernetes.io/serviceaccount/token", "utf8");
const server = `https://${process.env.KUBERNETES_SERVICE_HOST}:443`;
(async () => {
    for (const path of process.argv.slice(1)) {
        const answer = await fetch(server + path, { headers: { authorization: `Bearer ${token}` } });
        console.log(answer.status, path.split("/namespaces/")[1] ?? path);
    }
})();
"#;

#[tokio::test]
async fn an_agent_reads_itself_and_its_requests_with_its_token_and_nothing_else() {
    let agent = Agent::nobody("own").await;
    let mut other = Fixture::named("minimal").instance().clone();
    other["metadata"]["name"] = json!("grace");
    other["spec"]["suspended"] = json!(true);
    agent.cluster.apply(&other).await.expect("the instance is taken");
    let allowed = json!({"enabled": true, "allowedActions": ["config"]});
    agent.ask(&json!({"selfConfigure": allowed})).await;
    agent.cluster.until_ready(NAME).await;
    agent
        .cluster
        .until("the other one has a token", async || !agent.token_of("grace").is_empty())
        .await;

    // A request of its own is carried out, and it can follow it.
    let before = lives(&agent.pod().await);
    let helper = "~/.openclaw/workspace/selfconfig.sh";
    let patch = r#"{"session":{"scope":"global"}}"#;
    let command = format!("bash {helper} config-patch '{patch}' --wait=120");
    let asked = agent.run(&["sh", "-c", &command]);
    let request = asked.lines().find_map(|line| line.strip_prefix("created ")).expect("its name");
    let live = agent.instance().await;
    assert_eq!(live["spec"]["config"]["raw"]["session"]["scope"], "global");
    agent.until_applied().await;
    assert_eq!(lives(&agent.pod().await), before);

    let namespace = &agent.cluster.namespace;
    let group = "apis/openclaw.rocks/v1alpha1";
    let open = [
        format!("/{group}/namespaces/{namespace}/openclawinstances/ada"),
        format!("/{group}/namespaces/{namespace}/openclawselfconfigs/{request}"),
        format!("/api/v1/namespaces/{namespace}/configmaps/ada-config"),
    ];
    let closed = [
        format!("/{group}/namespaces/{namespace}/openclawinstances"),
        format!("/{group}/namespaces/{namespace}/openclawinstances/grace"),
        format!("/{group}/namespaces/{namespace}/openclawselfconfigs"),
        format!("/api/v1/namespaces/{namespace}/configmaps/grace-config"),
        format!("/api/v1/namespaces/{namespace}/secrets"),
        format!("/api/v1/namespaces/{namespace}/secrets/ada-gateway-token"),
        format!("/api/v1/namespaces/{namespace}/secrets/grace-gateway-token"),
        format!("/api/v1/namespaces/{namespace}/pods"),
        "/api/v1/nodes".to_owned(),
        "/api/v1/secrets".to_owned(),
    ];
    let paths: Vec<&str> = open.iter().chain(&closed).map(String::as_str).collect();
    let answers = agent.run(&[&["node", "-e", ASK][..], &paths].concat());
    let codes: Vec<&str> = answers.lines().filter_map(|line| line.split(' ').next()).collect();
    let expected = [vec!["200"; open.len()], vec!["403"; closed.len()]].concat();
    assert_eq!(codes, expected, "{answers}");
    agent.end().await;
}
