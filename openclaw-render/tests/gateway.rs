//! Who may talk to the gateway, and what openclaw.json, nginx.conf and the environment say of it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failed test"
)]

use openclaw_render::{Kind, Observed, Settings, decode_instance, render_instance};
use serde_json::{Value, json};

/// What matters here of a rendered instance.
struct Rendered {
    config: Value,
    nginx: String,
    template: Value,
}

impl Rendered {
    fn of(spec: &Value) -> Self {
        let document = json!({"metadata": {"name": "ada", "namespace": "agents"}, "spec": spec});
        let (instance, _) = decode_instance(document).expect("it decodes");
        let (objects, problems) =
            render_instance(&instance, &Observed::default(), &Settings::default());
        let object = |kind, name: &str| {
            let found = objects.iter().find(|each| each.kind() == kind && each.name() == name);
            assert!(found.is_some(), "{kind} {name}: {problems:?}");
            found.expect("it is there").to_value()
        };
        let data = object(Kind::ConfigMap, "ada-config")["data"].clone();
        let config = data["openclaw.json"].as_str().expect("a configuration");
        Self {
            config: serde_json::from_str(config).expect("JSON"),
            nginx: data["nginx.conf"].as_str().unwrap_or_default().to_owned(),
            template: object(Kind::StatefulSet, "ada")["spec"]["template"].clone(),
        }
    }

    fn raw(version: &str, gateway: &Value) -> Self {
        Self::of(&json!({"image": {"tag": version}, "config": {"raw": {"gateway": gateway}}}))
    }

    fn gateway(&self, pointer: &str) -> &Value {
        self.config["gateway"].pointer(pointer).unwrap_or(&Value::Null)
    }

    /// What the agent gets as its token.
    fn token(&self) -> Vec<&Value> {
        let entries = self.template["spec"]["containers"][0]["env"].as_array().expect("env");
        entries.iter().filter(|entry| entry["name"] == "OPENCLAW_GATEWAY_TOKEN").collect()
    }
}

#[test]
fn every_way_to_leave_the_token_to_the_environment_renders_the_secret_and_nothing_more() {
    let unset = Rendered::raw("2026.9.6", &json!({}));
    assert_eq!(unset.gateway("/auth"), &json!({"mode": "token"}));
    assert_eq!(unset.token()[0]["valueFrom"]["secretKeyRef"]["name"], "ada-gateway-token");
    for token in [
        json!(null),
        json!(""),
        json!(" "),
        json!("${OPENCLAW_GATEWAY_TOKEN}"),
        json!("$OPENCLAW_GATEWAY_TOKEN"),
        json!({"source": "env", "provider": "default", "id": "OPENCLAW_GATEWAY_TOKEN"}),
        json!({"source": "env", "id": "OPENCLAW_GATEWAY_TOKEN"}),
    ] {
        for mode in [json!("token"), json!(null)] {
            let auth = json!({"mode": mode, "token": token});
            let rendered = Rendered::raw("2026.9.6", &json!({"auth": auth}));
            assert_eq!(rendered.config, unset.config, "{auth}");
            assert_eq!(rendered.template, unset.template, "{auth}");
        }
        // Another mode needs none, and a reference to nothing would only be warned about.
        let auth = json!({"mode": "password", "password": "x", "token": token});
        let rendered = Rendered::raw("2026.9.6", &json!({"auth": auth}));
        let expected = json!({"mode": "password", "password": "x"});
        assert_eq!(rendered.gateway("/auth"), &expected, "{token}");
        assert!(rendered.token().is_empty(), "{token}");
    }
}

#[test]
fn another_token_is_left_to_the_user() {
    for token in [
        json!("fixture-token"),
        json!("${TEAM_TOKEN}"),
        json!("${OPENCLAW_GATEWAY_TOKEN}-2"),
        json!({"source": "file", "provider": "default", "id": "OPENCLAW_GATEWAY_TOKEN"}),
    ] {
        let rendered = Rendered::raw("2026.9.6", &json!({"auth": {"token": token}}));
        assert_eq!(rendered.gateway("/auth/token"), &token);
        assert!(rendered.token().is_empty(), "{token}");
    }
}

#[test]
fn a_token_among_the_users_variables_wins_once() {
    let own = json!({"name": "OPENCLAW_GATEWAY_TOKEN", "value": "fixture-token"});
    let empty = json!({"name": "OPENCLAW_GATEWAY_TOKEN", "value": ""});
    for env in [json!([own]), json!([own, empty]), json!([empty, own])] {
        let rendered = Rendered::of(&json!({"image": {"tag": "2026.9.6"}, "env": env}));
        assert_eq!(rendered.token(), [&own], "{env}");
        assert_eq!(rendered.gateway("/auth"), &json!({"mode": "token"}));
    }
    let rendered = Rendered::of(&json!({"image": {"tag": "2026.9.6"}, "env": [empty]}));
    assert_eq!(rendered.token()[0]["valueFrom"]["secretKeyRef"]["name"], "ada-gateway-token");
}

#[test]
fn whom_the_user_trusts_is_told_to_nginx_and_the_gateway_trusts_nginx_alone() {
    for given in [json!(["10.42.0.0/16"]), json!(["127.0.0.1"]), json!([]), json!(null)] {
        let rendered = Rendered::raw("2026.9.6", &json!({"trustedProxies": given}));
        let expected = json!(["127.0.0.0/8", "::1/128"]);
        assert_eq!(rendered.gateway("/trustedProxies"), &expected, "{given}");
    }
    let rendered = Rendered::raw("2026.9.6", &json!({"trustedProxies": ["10.42.7.9/16"]}));
    assert!(rendered.nginx.contains("    10.42.0.0/16 1;\n"), "{}", rendered.nginx);
    assert!(rendered.nginx.contains("  set_real_ip_from 10.42.0.0/16;\n"), "{}", rendered.nginx);
}

#[test]
fn without_the_gateway_proxy_the_list_stays_the_users() {
    for given in [json!(["10.42.7.9/16", "127.0.0.1", "${PROXY}", "proxy.example"]), json!([])] {
        let raw = json!({"gateway": {"trustedProxies": given}});
        let spec = json!({
            "image": {"tag": "2026.9.6"}, "gateway": {"enabled": false}, "config": {"raw": raw},
        });
        assert_eq!(Rendered::of(&spec).gateway("/trustedProxies"), &given);
    }
}

#[test]
fn another_trusted_network_replaces_the_pod_and_another_model_does_not() {
    let of = |network: &str, model: &str| {
        let gateway = json!({"trustedProxies": [network]});
        let agents = json!({"defaults": {"model": {"primary": model}}});
        let raw = json!({"gateway": gateway, "agents": agents});
        Rendered::of(&json!({"image": {"tag": "2026.9.6"}, "config": {"raw": raw}}))
    };
    let before = of("10.42.0.0/16", "a");
    assert_eq!(before.template, of("10.42.0.0/16", "b").template);
    let after = of("10.43.0.0/16", "a");
    assert_ne!(before.template, after.template);
    assert_eq!(before.config, after.config);
}

#[test]
fn an_identity_may_come_from_loopback_only_where_the_version_asks_and_our_proxy_is() {
    let auth = json!({
        "mode": "trusted-proxy", "trustedProxy": {"userHeader": "x-user", "allowLoopback": false},
    });
    let gateway = json!({"auth": auth, "trustedProxies": ["10.42.0.7"]});
    let allowed =
        |rendered: &Rendered| rendered.gateway("/auth/trustedProxy/allowLoopback").clone();
    for (version, expected) in [("2026.9.6", true), ("2026.4.27", true), ("2026.3.28", false)] {
        assert_eq!(allowed(&Rendered::raw(version, &gateway)), expected, "{version}");
    }
    let token = json!({"auth": {"trustedProxy": auth["trustedProxy"]}});
    assert_eq!(allowed(&Rendered::raw("2026.9.6", &token)), false);
    let direct = json!({
        "image": {"tag": "2026.9.6"},
        "gateway": {"enabled": false},
        "config": {"raw": {"gateway": gateway}},
    });
    assert_eq!(allowed(&Rendered::of(&direct)), false);
}
