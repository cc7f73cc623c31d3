//! What a program inside the agent's container gets hold of.

use serde_json::json;

use crate::onlooked;
use crate::support::agent::{APPLICATION, said};
use crate::support::fixtures::Fixture;

#[tokio::test]
async fn the_application_sees_no_account_and_nothing_of_the_other_containers() {
    let agent = onlooked().await;
    let account = agent.exec(APPLICATION, &["ls", "/var/run/secrets/kubernetes.io"]);
    assert!(!account.status.success(), "{}", said(&account));
    let processes = agent.run(&["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]);
    assert!(processes.contains("openclaw"), "{processes}");
    assert!(!processes.contains("nginx") && !processes.contains("pod sync"), "{processes}");
    for folder in ["/operator-config", "/sync", "/etc/nginx/openclaw"] {
        assert!(!agent.exec(APPLICATION, &["ls", folder]).status.success(), "{folder}");
    }
    let written = agent.exec(APPLICATION, &["touch", "/openclaw-helper/more", "/usr/local/more"]);
    assert!(!written.status.success(), "{}", said(&written));
}

/// Asks the API server for a Secret, as whoever has no account. Prints the code.
const ASK: &str = r#"
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
const server = "https://" + process.env.KUBERNETES_SERVICE_HOST + ":443";
fetch(server + process.argv[1]).then(answer => console.log(answer.status));
"#;

#[tokio::test]
async fn the_application_does_not_get_at_the_secret_of_another_agent() {
    let agent = onlooked().await;
    // It needs no pod to have a Secret.
    let mut other = Fixture::named("minimal").instance().clone();
    other["metadata"]["name"] = json!("grace");
    other["spec"]["suspended"] = json!(true);
    agent.cluster.apply(&other).await.expect("the instance is taken");
    agent
        .cluster
        .until("the other one has a token", async || !agent.token_of("grace").is_empty())
        .await;
    let (own, others) = (agent.token(), agent.token_of("grace"));
    assert_ne!(own, others);
    // Everything that it may read and that is not the image's own; the first token is found there.
    let found = |token: &str| {
        let script = format!(
            "grep --recursive --no-messages --devices=skip --files-with-matches --fixed-strings -- \
             '{token}' /proc/[0-9]*/environ /etc /home /mnt /opt /run /srv /tmp /var; true"
        );
        agent.run(&["sh", "-c", &script])
    };
    assert!(found(&own).contains("environ"), "{}", found(&own));
    assert_eq!(found(&others), "");

    let namespace = &agent.cluster.namespace;
    let path = format!("/api/v1/namespaces/{namespace}/secrets/grace-gateway-token");
    let code = agent.run(&["node", "-e", ASK, &path]);
    assert!(["401\n", "403\n"].contains(&code.as_str()), "{code}");
}
