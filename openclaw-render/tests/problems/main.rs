//! What is said about wrong specs, word for word.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "helpers of tests: what is broken must be loud"
)]

#[path = "../support/fixtures.rs"]
mod fixtures;

mod found;
mod hostile;
mod metadata;
mod source;

use std::collections::BTreeSet;

use openclaw_render::api::OpenClawInstance;
use openclaw_render::{
    Fact, Found, Object, Observed, Problem, Settings, Severity, decode_instance, render_instance,
    resolve,
};
use serde_json::{Value, json};

#[test]
fn every_invalid_fixture_is_refused_in_the_words_of_its_snapshot() {
    let mut expected = BTreeSet::new();
    for fixture in fixtures::all("invalid") {
        assert!(fixture.text.starts_with("# "), "{}: say what it is for", fixture.name);
        let (_, problems) = fixture.render();
        assert!(!problems.is_empty(), "{}: nothing is wrong with it", fixture.name);
        fixtures::assert_snapshot("invalid", &fixture.name, &fixtures::lines(&problems));
        expected.insert(format!("{}.snap", fixture.name));
    }
    let kept = fixtures::names_in(&fixtures::top_level("snapshots/invalid"));
    assert_eq!(kept, expected, "stale or missing snapshots");
}

#[test]
fn an_error_means_no_objects_and_anything_less_means_objects() {
    for fixture in fixtures::all("invalid") {
        for Found { value: instance, .. } in &fixture.documents.instances {
            let (objects, problems) =
                render_instance(instance, &fixture.observed(instance), &Settings::default());
            let refused = problems.iter().any(|problem| problem.severity == Severity::Error);
            assert_eq!(objects.is_empty(), refused, "{}", fixture.name);
        }
    }
}

#[test]
fn a_problem_is_one_line_with_a_path_and_no_full_stop() {
    for problem in fixtures::all("invalid").iter().flat_map(|fixture| fixture.render().1) {
        let Problem { path, message, .. } = &problem;
        assert!(!path.is_empty(), "{problem}");
        assert!(!message.contains(['\n', '\r']), "{problem}");
        assert!(!message.ends_with('.') && !message.is_empty(), "{problem}");
    }
}

fn instance(spec: &Value) -> OpenClawInstance {
    let document = json!({"metadata": {"name": "ada", "namespace": "agents"}, "spec": spec});
    decode_instance(document).expect("it decodes").0
}

fn messages(spec: &Value, observed: &Observed) -> Vec<String> {
    let problems = resolve(&instance(spec), observed, &Settings::default()).problems;
    problems.iter().map(ToString::to_string).collect()
}

/// An error of a spec, alone.
fn error(spec: &Value, observed: &Observed) -> Vec<String> {
    let mut messages = messages(spec, observed);
    messages.retain(|message| !message.contains("advice: "));
    messages
}

/// Too large for fixtures: one large file, many small ones, a configuration that its indentation
/// makes large, and one out of a ConfigMap.
fn too_large() -> Vec<String> {
    let text = "x".repeat((1 << 20) - 12);
    let files: serde_json::Map<String, Value> =
        (0..6000).map(|number| (format!("notes/{number}.md"), json!(""))).collect();
    let leaf = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let raw = json!({"session": vec![leaf; 95]});
    let content = format!("{{\"session\": \"{text}\"}}");
    let observed = Observed {
        config_maps: [(
            "c".to_owned(),
            Fact::Known([("openclaw.json".to_owned(), content)].into()),
        )]
        .into(),
        ..Observed::default()
    };
    let unseen = Observed::default();
    [
        error(&json!({"workspace": {"initialFiles": {"a.md": text}}}), &unseen),
        error(&json!({"workspace": {"initialFiles": files}}), &unseen),
        error(&json!({"config": {"raw": raw}}), &unseen),
        error(&json!({"config": {"configMapRef": {"name": "c"}}}), &observed),
    ]
    .concat()
}

/// Deeper than a file can be: inline, and out of a ConfigMap.
fn too_deep() -> Vec<String> {
    let nested = (0..129).fold(json!(1), |inner, _| json!([inner]));
    let observed = Observed {
        config_maps: [(
            "c".to_owned(),
            Fact::Known([("openclaw.json".to_owned(), "{a:[".repeat(1000))].into()),
        )]
        .into(),
        ..Observed::default()
    };
    let by_reference = json!({"config": {"configMapRef": {"name": "c"}, "format": "json5"}});
    [
        error(&json!({"config": {"raw": {"session": nested}}}), &Observed::default()),
        error(&by_reference, &observed),
    ]
    .concat()
}

/// Where the manifest is applied, the API server would not take it.
fn in_a_namespace_that_cannot_be() -> Vec<String> {
    let namespaces = ["..", "/etc", "Agents", "a.b", &"a".repeat(64)];
    let found = namespaces.iter().flat_map(|namespace| {
        let document = json!({"metadata": {"name": "ada", "namespace": namespace},
                              "spec": {"image": {"tag": "2026.9.6"},
                                       "env": [{"name": "OPENAI_API_KEY", "value": "x"}]}});
        let (instance, _) = decode_instance(document).expect("it decodes");
        resolve(&instance, &Observed::default(), &Settings::default()).problems
    });
    found.map(|problem| problem.to_string()).collect()
}

/// Too many for a fixture.
fn too_many_to_trust() -> Vec<String> {
    let networks: Vec<String> =
        (0..1001).map(|number| format!("10.{}.0.0/16", number % 256)).collect();
    let headers: Vec<String> = (0..33).map(|number| format!("x-{number}")).collect();
    let auth = json!({
        "mode": "trusted-proxy",
        "trustedProxy": {"userHeader": "x-user", "requiredHeaders": headers},
    });
    let raw = json!({"gateway": {"trustedProxies": networks, "auth": auth}});
    let spec = json!({"image": {"tag": "2026.9.6"}, "config": {"raw": raw}});
    let mut said = messages(&spec, &Observed::default());
    said.retain(|message| !message.contains(": advice: ") && !message.contains("will not start"));
    said
}

/// Without its schema nothing keeps a number out of here.
fn raw_that_is_no_object() -> Vec<String> {
    messages(&json!({"config": {"raw": [1]}}), &Observed::default())
}

/// Documents hold what users write; these two are the operator's own.
fn own_objects_in_an_unknown_state() -> Vec<String> {
    let claim = openclaw_render::Claim {
        layout: Some("round".to_owned()),
        ..openclaw_render::Claim::default()
    };
    let observed = Observed {
        claims: [("ada-data".to_owned(), Fact::Known(claim))].into(),
        secrets: [("ada-gateway-token".to_owned(), Fact::Known([].into()))].into(),
        ..Observed::default()
    };
    messages(&json!({}), &observed)
}

#[test]
fn what_no_fixture_can_say_is_said_too() {
    insta::assert_debug_snapshot!(too_large(), @r#"
[
    "spec.workspace: makes a ConfigMap of 1050793 bytes, and 1048576 are allowed: put large or many files into the image or a volume",
    "spec.workspace: makes a ConfigMap of 1362901 bytes, and 1048576 are allowed: put large or many files into the image or a volume",
    "spec.workspace.initialFiles: has 6000 entries, and 50 are allowed",
    "spec.config.raw: makes a ConfigMap of 2018066 bytes, and 1048576 are allowed: openclaw.json is written with indentation, so keep it flat and large texts out of it",
    "spec.config.configMapRef: makes a ConfigMap of 1051963 bytes, and 1048576 are allowed: openclaw.json is written with indentation, so keep it flat and large texts out of it",
]
"#);
    insta::assert_debug_snapshot!(too_deep(), @r#"
[
    "spec.config.raw: is nested deeper than 128 levels: flatten it",
    "spec.config.configMapRef[c/openclaw.json]: is nested deeper than 128 levels: flatten it",
]
"#);
    insta::assert_debug_snapshot!(in_a_namespace_that_cannot_be(), @r#"
[
    "metadata.namespace: \"..\" cannot name a namespace: write at most 63 lower-case letters, digits and `-`, a letter or digit first and last",
    "metadata.namespace: \"/etc\" cannot name a namespace: write at most 63 lower-case letters, digits and `-`, a letter or digit first and last",
    "metadata.namespace: \"Agents\" cannot name a namespace: write at most 63 lower-case letters, digits and `-`, a letter or digit first and last",
    "metadata.namespace: \"a.b\" cannot name a namespace: write at most 63 lower-case letters, digits and `-`, a letter or digit first and last",
    "metadata.namespace: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" cannot name a namespace: write at most 63 lower-case letters, digits and `-`, a letter or digit first and last",
]
"#);
    insta::assert_debug_snapshot!(too_many_to_trust(), @r#"
[
    "spec.config.raw.gateway.auth.trustedProxy.requiredHeaders: 33 headers are too many for the gateway proxy: name at most 32",
    "spec.config.raw.gateway.trustedProxies: 1001 networks are too many for the gateway proxy: name at most 1000",
]
"#);
    insta::assert_debug_snapshot!(raw_that_is_no_object(), @r#"
[
    "spec.config.raw: must be an object, as openclaw.json is",
    "spec.envFrom: advice: nothing in the spec gives the agent a key for a provider of models: put one into a Secret and name that here, for example with the key ANTHROPIC_API_KEY; ignore this if somebody signs in from within the agent",
    "spec.image.tag: advice: without a tag or digest, or with `latest`, a restart may bring another version: pin a release",
    "spec.image.version: advice: the image does not tell its version, so the configuration is rendered for 2026.9.6: set `spec.image.version` if it runs another one",
]
"#);
    insta::assert_debug_snapshot!(own_objects_in_an_unknown_state(), @r#"
[
    "spec.storage.persistence: the claim's annotation `openclaw.rocks/layout` is \"round\", which this version does not know: upgrade the operator",
    "spec.gateway: will not start: Secret \"ada-gateway-token\" has no key \"token\": add one, or delete the Secret and the operator makes another",
    "spec.envFrom: advice: nothing in the spec gives the agent a key for a provider of models: put one into a Secret and name that here, for example with the key ANTHROPIC_API_KEY; ignore this if somebody signs in from within the agent",
    "spec.image.tag: advice: without a tag or digest, or with `latest`, a restart may bring another version: pin a release",
    "spec.image.version: advice: the image does not tell its version, so the configuration is rendered for 2026.9.6: set `spec.image.version` if it runs another one",
]
"#);
}

/// What a ConfigMap of the name holds, in bytes.
fn size(objects: &[Object], name: &str) -> usize {
    let map = objects.iter().find_map(|object| {
        let Object::ConfigMap(map) = object else { return None };
        (object.name() == name).then_some(map)
    });
    let entries = map.expect("it is rendered").data.iter().flatten();
    entries.map(|(key, content)| key.len() + content.len()).sum()
}

#[test]
fn content_of_exactly_the_limit_is_rendered_and_a_byte_more_is_not() {
    let workspace =
        |bytes: usize| json!({"workspace": {"initialFiles": {"a.md": "x".repeat(bytes)}}});
    let config = |bytes: usize| json!({"config": {"raw": {"session": "x".repeat(bytes)}}});
    let specs: [(&str, &dyn Fn(usize) -> Value); 2] =
        [("ada-workspace", &workspace), ("ada-config", &config)];
    for (name, spec) in specs {
        let render = |bytes: usize| {
            render_instance(&instance(&spec(bytes)), &Observed::default(), &Settings::default()).0
        };
        let around = size(&render(1), name) - 1;
        let most = (1 << 20) - around;
        assert_eq!(size(&render(most), name), 1 << 20, "{name}");
        assert_eq!(render(most + 1), [], "{name}");
    }
}

/// The operator refuses it too, and would otherwise hold it in memory many times.
#[test]
fn an_instance_of_very_many_values_does_not_decode() {
    let mut document = json!({"metadata": {"name": "ada"}, "spec": {"config": {"raw": {}}}});
    document["spec"]["config"]["raw"]["skills"] = json!(vec![json!({"a": 0}); 125_000]);
    let problem = decode_instance(document).expect_err("it is too large");
    assert_eq!(problem.path, "spec.config.raw");
    assert!(problem.message.contains("more than 10000 values"), "{problem}");
}
