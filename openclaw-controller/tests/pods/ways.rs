//! Ways in from outside the cluster: a proxy that signs people in.

use openclaw_render::Kind;
use serde_json::{Value, json};

use crate::support::agent::{APPLICATION, Agent, NAME, bystander, said};
use crate::support::fixtures::Fixture;

/// What an ingress controller makes of an Ingress with basic authentication: it says who came, from
/// where, and passes no password on.
const INGRESS: &str = r#"
pid /tmp/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    server {
        listen 8080;
        auth_basic agents;
        auth_basic_user_file /etc/ingress/people;
        location / {
            proxy_pass http://ADDRESS:18789;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_set_header Authorization "";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header X-Auth-Request-User $remote_user;
            proxy_set_header X-Auth-Request-Email $remote_user@example.com;
        }
    }
}
"#;

/// Asks an address for the list of models and for the WebSocket, with a name and a password and with
/// headers. Prints the codes, and the first words of the socket.
const ASK: &str = r#"
const [host, port, auth] = process.argv.slice(1);
const headers = JSON.parse(process.argv[4]);
const http = require("http");
const socket = {
    connection: "Upgrade", upgrade: "websocket",
    "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};
http.get({ host, port, auth, path: "/v1/models", headers }, answer => {
    console.log("models", answer.statusCode);
    answer.resume();
    const knock = http.get({ host, port, auth, path: "/", headers: { ...headers, ...socket } });
    knock.on("response", refused => { console.log("socket", refused.statusCode); process.exit(); });
    knock.on("upgrade", (accepted, stream, head) => {
        const end = words => {
            console.log("socket", accepted.statusCode, words.toString("latin1").slice(2));
            process.exit();
        };
        if (head.length > 0) end(head); else stream.once("data", end);
    });
});
"#;

#[tokio::test]
async fn an_ingress_signs_people_in_and_nobody_else_can_say_who_they_are() {
    let agent = Agent::nobody("ways").await;
    let mut spec = Fixture::named("trusted-proxy-auth").instance()["spec"].clone();
    let visitor = bystander("visitor", "2026.9.6", &["sleep", "infinity"]);
    let visitor = agent.with_bystander(&visitor).await;
    // The Service is there before its pod.
    spec["suspended"] = json!(true);
    let gateway = &mut spec["config"]["raw"]["gateway"];
    gateway["http"] = json!({"endpoints": {"chatCompletions": {"enabled": true}}});
    agent.ask(&spec).await;
    let service = async || agent.cluster.get(Kind::Service, NAME).await;
    agent.cluster.until("the Service is there", async || service().await.is_some()).await;
    let service = service().await.expect("the Service is there");
    let address = service["spec"]["clusterIP"].as_str().expect("an address");

    let config = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ingress"},
        "data": {
            "nginx.conf": INGRESS.replace("ADDRESS", address),
            "people": "ada:{PLAIN}right\nbob:{PLAIN}right\n",
        },
    });
    agent.cluster.apply(&config).await.expect("the ConfigMap is taken");
    let command = ["nginx", "-g", "daemon off;", "-c", "/etc/ingress/nginx.conf"];
    let mut ingress = bystander("ingress", "", &command);
    ingress["spec"]["volumes"] = json!([{"name": "config", "configMap": {"name": "ingress"}}]);
    let container = &mut ingress["spec"]["containers"][0];
    container["image"] = json!("docker.io/library/nginx:1.27-alpine");
    container["volumeMounts"] = json!([{"name": "config", "mountPath": "/etc/ingress"}]);
    container["readinessProbe"] = json!({"tcpSocket": {"port": 8080}, "periodSeconds": 1});
    let ingress = agent.with_bystander(&ingress).await;

    let trusted = json!({"trustedProxies": [ingress]});
    agent.change(&json!({"suspended": false, "config": {"raw": {"gateway": trusted}}})).await;
    agent.cluster.until_ready(NAME).await;
    agent.until_applied().await;

    let ask = |to: &str, port: &str, password: &str, headers: Value| -> String {
        let headers = headers.to_string();
        let command = ["exec", "visitor", "--", "node", "-e", ASK, to, port, password, &headers];
        let asked = agent.kubectl(&command);
        assert!(asked.status.success(), "{}", said(&asked));
        said(&asked)
    };
    let by_ingress = |password| ask(&ingress, "8080", password, json!({}));
    let signed_in = by_ingress("ada:right");
    assert!(signed_in.contains("models 200\nsocket 101"), "{signed_in}");
    assert!(signed_in.contains("connect.challenge"), "{signed_in}");
    let refused = by_ingress("ada:wrong");
    assert_eq!(refused, "models 401\nsocket 401\n");
    // The proxy knows him, and the agent does not.
    let unknown = by_ingress("bob:right");
    assert!(unknown.contains("models 401") || unknown.contains("models 403"), "{unknown}");
    // Who says so himself is not believed.
    let claims = json!({
        "x-auth-request-user": "ada",
        "x-auth-request-email": "ada@example.com",
        "x-forwarded-proto": "https",
        "x-forwarded-for": "203.0.113.9",
    });
    let stranger = ask(address, "18789", "", claims);
    assert!(stranger.contains("models 401") || stranger.contains("models 403"), "{stranger}");
    // And the application knows the client's address, and not the proxy's.
    agent
        .cluster
        .until("the gateway says who came", async || {
            agent.log(APPLICATION).await.contains(&format!("fwd={visitor} "))
        })
        .await;
    let log = agent.log(APPLICATION).await;
    assert!(!log.contains("203.0.113.9") && !log.contains(&format!("fwd={ingress} ")), "{log}");
    agent.end().await;
}
