//! Skill packs: what of them ends where, and what stays when nobody can say what is in them.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: what is broken must be loud"
)]

use openclaw_render::packs::{Layout, Pack, PackReference, PackSeen};
use openclaw_render::{
    Fact, Kind, Object, ObjectKey, Observed, Problem, Rule, Seen, Settings, Target,
    decode_instance, plan, render_instance,
};
use serde_json::{Value, json};

const SOURCE: &str = "acme/skills/image@main";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn instance(spec: &Value) -> openclaw_render::api::OpenClawInstance {
    let mut spec = spec.clone();
    spec["image"] = json!({"tag": "2026.9.6"});
    spec["env"] = json!([{"name": "OPENAI_BASE_URL", "value": "http://models.example"}, {"name": "OPENAI_API_KEY", "value": "of-no-use"}]);
    let manifest = json!({
        "apiVersion": "openclaw.rocks/v1alpha1",
        "kind": "OpenClawInstance",
        "metadata": {"name": "ada", "namespace": "agents", "uid": "uid-1"},
        "spec": spec,
    });
    decode_instance(manifest).expect("an instance").0
}

fn asking() -> Value {
    json!({"skills": [format!("pack:{SOURCE}")]})
}

/// A pack with a text, bytes that are none, and an entry for openclaw.json.
fn pack(source: &str, text: &str) -> Pack {
    let reference = PackReference::parse(source).expect("a reference");
    let manifest = json!({
        "files": {"skills/image/SKILL.md": "SKILL.md", "skills/image/icon.png": "icon.png"},
        "directories": ["out"],
        "config": {"image": {"enabled": true}},
    });
    let layout =
        Layout::by_manifest(&reference, manifest.to_string().as_bytes()).expect("a layout");
    let contents = [
        (reference.file("SKILL.md"), text.as_bytes().to_vec()),
        (reference.file("icon.png"), vec![0xff, 0xfe]),
    ];
    Pack::new(&reference, COMMIT, layout, &contents.into()).expect("a pack")
}

fn fetched(pack: Pack) -> Observed {
    let seen = PackSeen { pack: Some(pack.clone()), failure: None };
    Observed { packs: [(pack.source, seen)].into(), ..Observed::default() }
}

fn rendered(spec: &Value, observed: &Observed) -> (Vec<Object>, Vec<Problem>) {
    render_instance(&instance(spec), observed, &Settings::default())
}

fn config_maps(objects: &[Object]) -> Vec<(String, Value)> {
    let maps = objects.iter().filter(|object| object.kind() == Kind::ConfigMap);
    maps.map(|map| (map.name().to_owned(), map.to_value())).collect()
}

fn map(objects: &[Object], name: &str) -> Value {
    let maps = config_maps(objects);
    maps.into_iter().find(|(other, _)| other == name).expect("a ConfigMap of the name").1
}

fn kept(objects: &[Object]) -> Vec<(String, Value)> {
    let maps = config_maps(objects).into_iter();
    maps.filter(|(name, _)| name.starts_with("ada-pack-")).collect()
}

/// The paths that the plan has, with what happens to what is there.
fn files(objects: &[Object]) -> Vec<(String, String)> {
    let workspace = map(objects, "ada-workspace");
    let plan = workspace["data"]["seed-plan.json"].as_str().expect("a plan");
    let plan: Value = serde_json::from_str(plan).expect("JSON");
    let files = plan["files"].as_array().expect("files").iter();
    files
        .map(|file| {
            let text = |key: &str| file[key].as_str().expect("a text").to_owned();
            (text("path").replace("home/.openclaw/", ""), text("policy"))
        })
        .collect()
}

fn said(problems: &[Problem], rule: Rule) -> Vec<&str> {
    let of_rule = problems.iter().filter(|problem| problem.rule == rule);
    of_rule.map(|problem| problem.message.as_str()).collect()
}

/// The world of an operator that has started again: what it had fetched is in the cluster.
fn restarted(objects: &[Object]) -> Observed {
    let mut observed = Observed::default();
    for (name, map) in kept(objects) {
        let seen = Seen { controller: Some("uid-1".to_owned()), labelled: true, ..Seen::default() };
        observed.objects.insert(ObjectKey::new(Kind::ConfigMap, &*name), Fact::Known(seen));
        let data = serde_json::from_value(map["data"].clone()).expect("texts");
        observed.config_maps.insert(name, Fact::Known(data));
    }
    observed
}

#[test]
fn a_fetched_pack_is_in_the_workspace_in_openclaw_json_and_in_a_map_of_its_own() {
    let (objects, problems) = rendered(&asking(), &fetched(pack(SOURCE, "Draw.\n")));
    assert_eq!(problems, []);
    let all = files(&objects);
    for path in ["workspace/skills/image/SKILL.md", "workspace/skills/image/icon.png"] {
        assert!(all.contains(&(path.to_owned(), "replace".to_owned())), "{all:?}");
    }
    let workspace = map(&objects, "ada-workspace");
    let texts = workspace["data"].as_object().expect("texts");
    assert!(texts.values().any(|text| text == "Draw.\n"));
    let others = workspace["binaryData"].as_object().expect("others");
    assert_eq!(others.values().collect::<Vec<_>>(), [&json!("//4=")]);
    let config = map(&objects, "ada-config");
    let config: Value =
        serde_json::from_str(config["data"]["openclaw.json"].as_str().expect("a text"))
            .expect("JSON");
    assert_eq!(config["skills"]["entries"]["image"], json!({"enabled": true}));
    assert_eq!(kept(&objects).len(), 1);
}

#[test]
fn what_is_kept_in_the_cluster_is_used_when_nobody_can_fetch_it() {
    let (before, _) = rendered(&asking(), &fetched(pack(SOURCE, "Draw.\n")));
    let (after, problems) = rendered(&asking(), &restarted(&before));
    assert_eq!((problems, &after), (vec![], &before));
    let mut outage = restarted(&before);
    let failure = Some("could not be fetched: GitHub cannot be reached".to_owned());
    outage.packs.insert(SOURCE.to_owned(), PackSeen { pack: None, failure });
    let (after, problems) = rendered(&asking(), &outage);
    assert_eq!(after, before);
    let said = said(&problems, Rule::Missing);
    assert!(said[0].contains("cannot be reached; what was fetched before stays"), "{said:?}");
    // Another revision is asked for: until it is there, the one before stays.
    let other = json!({"skills": ["pack:acme/skills/image@v2"]});
    let (after, problems) = rendered(&other, &restarted(&before));
    assert_eq!(after, before);
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn what_somebody_has_changed_in_the_cluster_is_not_used() {
    let (before, _) = rendered(&asking(), &fetched(pack(SOURCE, "Draw.\n")));
    let mut observed = restarted(&before);
    for fact in observed.config_maps.values_mut() {
        let Fact::Known(data) = fact else { continue };
        for text in data.values_mut() {
            *text = text.replace("Draw.", "Steal.");
        }
    }
    let (after, problems) = rendered(&asking(), &observed);
    assert_eq!(kept(&after), []);
    assert_eq!(said(&problems, Rule::Unknown).len(), 1);
    let mut observed = restarted(&before);
    observed.objects.values_mut().for_each(|fact| {
        *fact = Fact::Known(Seen { labelled: true, ..Seen::default() });
    });
    assert_eq!(kept(&rendered(&asking(), &observed).0), [], "somebody else's");
}

#[test]
fn a_new_agent_waits_for_its_packs_and_one_that_is_there_does_not() {
    let first = |observed: &Observed| {
        let mut observed = observed.clone();
        for name in ["ada", "ada-config", "ada-workspace", "ada-data", "ada-gateway-token"] {
            for kind in Kind::ALL {
                let key = ObjectKey::new(*kind, name);
                observed.objects.entry(key).or_insert(Fact::Absent);
            }
        }
        observed.secrets.insert("ada-gateway-token".to_owned(), Fact::Absent);
        observed.claims.insert("ada-data".to_owned(), Fact::Absent);
        observed.cluster_defaults = Fact::Absent;
        observed.deployment = Fact::Absent;
        observed.random_token = Some("0".repeat(64));
        let mut instance = instance(&asking());
        instance.metadata.finalizers = None;
        let plan = plan(&instance, &observed, &Settings::default());
        let sends = |kind: Kind| {
            let objects = plan.effects.iter().filter_map(|effect| match &effect.target {
                Target::Object(key) => Some(key),
                Target::Pod(_) | Target::Deployment(_) | Target::Instance => None,
            });
            objects.filter(|key| key.kind == kind).map(|key| key.name.clone()).collect::<Vec<_>>()
        };
        (sends(Kind::ConfigMap), sends(Kind::StatefulSet), plan.packs)
    };
    let (maps, pods, wanted) = first(&Observed::default());
    assert_eq!((maps, pods), (vec!["ada-config".to_owned()], vec![]));
    assert_eq!(wanted.expect("packs")[0].reference.to_string(), SOURCE);
    let failure = Some("is not there".to_owned());
    let failed = PackSeen { pack: None, failure };
    let failed = Observed { packs: [(SOURCE.to_owned(), failed)].into(), ..Observed::default() };
    assert_eq!(first(&failed).1, ["ada"], "an agent starts without what cannot be fetched");
    assert_eq!(first(&fetched(pack(SOURCE, "Draw.\n"))).1, ["ada"]);
}

#[test]
fn the_users_files_and_the_operators_win_over_those_of_packs() {
    let mut spec = asking();
    spec["workspace"] = json!({"initialFiles": {"skills/image/SKILL.md": "Mine.\n"}});
    spec["skillPackUpdatePolicy"] = json!("CreateOnly");
    spec["config"] = json!({"raw": {"skills": {"entries": {"image": {"enabled": false}}}}});
    let (objects, _) = rendered(&spec, &fetched(pack(SOURCE, "Draw.\n")));
    let all = files(&objects);
    let of = |path: &str| all.iter().filter(|(other, _)| other.ends_with(path)).count();
    assert_eq!((of("SKILL.md"), of("icon.png")), (1, 1));
    assert!(!config_maps(&objects).iter().any(|(name, map)| {
        name == "ada-workspace" && map["data"].to_string().contains("Draw.")
    }));
    assert!(all.contains(&("workspace/skills/image/icon.png".to_owned(), "createOnly".to_owned())));
    let config = map(&objects, "ada-config")["data"]["openclaw.json"].to_string();
    assert!(config.contains(r#"\"enabled\": false"#) && !config.contains(r#"\"enabled\": true"#));
    // A file where the pack has a directory, and a directory where it has a file.
    for workspace in [
        json!({"initialFiles": {"skills": "x"}}),
        json!({"initialDirectories": ["skills/image/SKILL.md", "skills/image/icon.png"]}),
    ] {
        let mut spec = asking();
        spec["workspace"] = workspace;
        let (objects, _) = rendered(&spec, &fetched(pack(SOURCE, "Draw.\n")));
        assert!(files(&objects).iter().all(|(path, _)| !path.ends_with("icon.png")));
    }
}

#[test]
fn a_pack_is_for_its_workspace_alone() {
    let spec = json!({"workspace": {"additionalWorkspaces": [
        {"name": "research", "skills": [format!("pack:{SOURCE}")]},
        {"name": "writing"},
    ]}});
    let (objects, problems) = rendered(&spec, &fetched(pack(SOURCE, "Draw.\n")));
    assert_eq!(problems, []);
    let all = files(&objects);
    let with: Vec<&str> =
        all.iter().filter_map(|(path, _)| path.strip_suffix("/skills/image/SKILL.md")).collect();
    assert_eq!(with, ["workspace-research"]);
}

#[test]
fn packs_never_make_the_workspace_larger_than_a_map_can_be() {
    let large = "x".repeat(500 * 1024);
    let spec = json!({
        "skills": ["pack:acme/skills/image@main"],
        "workspace": {"initialFiles": {"a": large.clone()}},
    });
    let (objects, problems) = rendered(&spec, &fetched(pack(SOURCE, &large)));
    assert!(!objects.is_empty(), "{problems:?}");
    assert!(said(&problems, Rule::Missing)[0].contains("no room"), "{problems:?}");
}

#[test]
fn what_one_pack_has_as_a_file_and_another_as_a_directory_is_left_out() {
    let spec = json!({"skills": ["pack:acme/skills/a", "pack:acme/skills/b"]});
    let mut observed = Observed::default();
    for (source, files) in [
        ("acme/skills/a", json!({"x": "f", "y/z": "f"})),
        ("acme/skills/b", json!({"x/y": "f", "y": "f", "good": "f"})),
    ] {
        let reference = PackReference::parse(source).expect("a reference");
        let manifest = json!({"files": files}).to_string();
        let layout = Layout::by_manifest(&reference, manifest.as_bytes()).expect("a layout");
        let contents = [(reference.file("f"), b"text".to_vec())].into();
        let pack = Pack::new(&reference, COMMIT, layout, &contents).expect("a pack");
        let seen = PackSeen { pack: Some(pack), failure: None };
        observed.packs.insert(source.to_owned(), seen);
    }
    let (objects, problems) = rendered(&spec, &observed);
    let all = files(&objects);
    let mine: Vec<&str> =
        all.iter().filter_map(|(path, _)| path.strip_prefix("workspace/")).collect();
    assert_eq!(mine, ["ENVIRONMENT.md", "good", "x", "y/z"]);
    assert_eq!(said(&problems, Rule::Missing).len(), 2, "{problems:?}");
}

#[test]
fn only_sources_that_the_operator_allows_are_fetched() {
    let settings =
        Settings { skill_pack_sources: vec!["other/skills".to_owned()], ..Settings::default() };
    let observed = fetched(pack(SOURCE, "Draw.\n"));
    let (objects, problems) = render_instance(&instance(&asking()), &observed, &settings);
    assert_eq!(kept(&objects), []);
    assert!(said(&problems, Rule::Missing)[0].contains("skillPacks.allowedSources"));
    let plan = plan(&instance(&asking()), &observed, &settings);
    assert_eq!(plan.packs.unwrap_or_default(), []);
}
