//! Whatever bytes come from outside, the answer is a value or a problem: no panic, no depth without
//! a bound, nothing in a file of ours that only its writer meant.

#[path = "support/fixtures.rs"]
mod fixtures;

use std::sync::LazyLock;

use openclaw_render::packs::PackReference;
use openclaw_render::seed::{SeedPlan, check_path, mode_bits, read_configuration};
use openclaw_render::{
    Fact, Kind, Object, ObjectKey, Observed, Settings, Severity, StoredInstance, Version, bounded,
    plan_stored, quantity, resolve,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// Enough to find what is wrong over some days of CI, few enough to wait for.
const CASES: u32 = 300;
/// Of what resolves and renders whole instances.
const COSTLY_CASES: u32 = 100;

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    // The same cases every time: a red build is red for everybody.
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Texts that break what does not expect them.
const PIECES: &[&str] = &[
    "[",
    "{",
    "]",
    "}",
    "\"",
    "'",
    ":",
    ",",
    "\n",
    "\r\n",
    "\0",
    "\\",
    "\u{202e}",
    "ä",
    "\u{10ffff}",
    "&a",
    "*a",
    "<<: ",
    "!!binary ",
    "---\n",
    "# ",
    "|\n",
    "? ",
    "null",
    "NaN",
    "-Infinity",
    "1e999",
    "0777",
    "-0",
    "0x7fffffffffffffff",
    "99999999999999999999",
    "${HOME}",
    "$(id)",
    ";}\n",
    "../",
    "/*",
    "//",
    "@sha256:",
    "::",
    "%",
    "\u{feff}",
    " ",
    "\t",
];

/// A piece, or bytes of any kind.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        vec(any::<u8>(), 0..12),
        // Deeper than any bound.
        (prop::sample::select(&["[", "{\"a\":", "[{a:", "- "][..]), 1..4_000_usize)
            .prop_map(|(opening, count)| opening.repeat(count).into_bytes()),
    ]
}

/// Where something is taken out and put in, as parts of the whole.
type Edits = Vec<(u16, u8, Vec<u8>)>;

fn edits() -> impl Strategy<Value = Edits> {
    vec((any::<u16>(), 0..20_u8, piece()), 1..5)
}

/// A text with some bytes gone and others in their place.
fn mutated(text: &str, edits: &Edits) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (place, gone, put) in edits {
        let at = bytes.len() * usize::from(*place) / usize::from(u16::MAX);
        let end = bytes.len().min(at + usize::from(*gone));
        bytes.splice(at..end, put.iter().copied());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text of nothing but pieces.
fn noise() -> impl Strategy<Value = String> {
    vec(piece(), 0..6).prop_map(|all| String::from_utf8_lossy(&all.concat()).into_owned())
}

/// Texts of all fixtures, the valid ones and the others.
static FIXTURES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let all = ["instances", "invalid"].into_iter().flat_map(fixtures::all);
    all.map(|fixture| fixture.text).collect()
});

/// Instances as the API server has them.
static STORED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let documents = FIXTURES.iter().flat_map(|text| yaml(text).unwrap_or_default());
    let instances = documents.filter(|it| it["kind"] == "OpenClawInstance");
    instances.map(|it| it.to_string()).collect()
});

fn yaml(text: &str) -> Option<Vec<Value>> {
    serde_saphyr::from_multiple(text).ok()
}

/// Levels of a value, without recursion.
fn depth(value: &Value) -> usize {
    let (mut deepest, mut open) = (0, vec![(value, 1)]);
    while let Some((value, level)) = open.pop() {
        deepest = deepest.max(level);
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, level + 1))),
            Value::Object(map) => open.extend(map.values().map(|item| (item, level + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    deepest
}

/// What is planned of a stored text. It is called for what it survives.
fn planned(text: &str) -> openclaw_render::Plan {
    let (live, problem) = match bounded::parse(text) {
        Ok(live) => (live, None),
        Err(problem) => (bounded::remains(text), Some(problem)),
    };
    let stored = StoredInstance::read(&live, problem);
    let observed = Observed {
        cluster_defaults: Fact::Absent,
        random_token: Some(fixtures::TOKEN.to_owned()),
        ..Observed::default()
    };
    plan_stored(&stored, &observed, &Settings::default())
}

#[test]
fn any_text_is_read_within_bounds_or_refused_in_one_line() {
    let property = |text: String| {
        match bounded::parse(&text) {
            Ok(value) => prop_assert!(depth(&value) <= bounded::MAX_DEPTH + 1),
            Err(problem) => prop_assert!(!problem.to_string().contains('\n'), "{}", problem),
        }
        prop_assert!(depth(&bounded::remains(&text)) <= bounded::MAX_DEPTH + 3);
        // Of a page of a list or watch: what is in it, as texts.
        for item in bounded::items(&text).unwrap_or_default() {
            let _ = (bounded::fields(item), bounded::field(item, "metadata"));
        }
        Ok(())
    };
    runner(CASES).run(&noise(), property).expect("noise");
    let page = |stored: &[String]| {
        let items = stored.join(",");
        format!(r#"{{"kind":"List","metadata":{{"resourceVersion":"1"}},"items":[{items}]}}"#)
    };
    let pages: Vec<String> = STORED.chunks(3).map(page).collect();
    let page = (prop::sample::select(pages), edits()).prop_map(|(text, how)| mutated(&text, &how));
    runner(CASES).run(&page, property).expect("pages");
}

#[test]
fn any_stored_instance_is_planned_or_its_problem_is_told() {
    let stored = prop::sample::select(STORED.as_slice());
    let stored = (stored, edits()).prop_map(|(text, how)| mutated(&text, &how));
    let property = |text: String| {
        let plan = planned(&text);
        for problem in &plan.problems {
            prop_assert!(!problem.to_string().contains('\n'), "{}", problem);
        }
        Ok(())
    };
    runner(COSTLY_CASES).run(&stored, property).expect("a plan");
}

#[test]
fn any_manifest_is_rendered_or_its_problem_is_told() {
    let manifest = prop::sample::select(FIXTURES.as_slice());
    let manifest = (manifest, edits()).prop_map(|(text, how)| mutated(&text, &how));
    let property = |text: String| {
        for document in yaml(&text).unwrap_or_default() {
            if depth(&document) > bounded::MAX_DEPTH {
                continue;
            }
            let documents = openclaw_render::Documents::read([document]);
            for found in &documents.instances {
                let (observed, settings) = (Observed::default(), Settings::default());
                let (objects, problems) =
                    openclaw_render::render_instance(&found.value, &observed, &settings);
                prop_assert!(!objects.is_empty() || !problems.is_empty(), "{}", text);
            }
        }
        Ok(())
    };
    runner(COSTLY_CASES).run(&manifest, property).expect("a manifest");
}

#[test]
fn any_configuration_is_read_within_bounds_or_refused() {
    const REAL: &[&str] = &[
        r#"{"agents": {"defaults": {"model": "a/b"}}, "gateway": {"port": 18789}}"#,
        "// as people write it\n{agents: {defaults: {model: 'a/b',},}, gateway: {port: +0x4965}}",
        "{session: {reset: {idleMinutes: 1e3}}, $include: './other.json5', /* end */}",
    ];
    let real = (prop::sample::select(REAL), edits()).prop_map(|(text, how)| mutated(text, &how));
    let text = prop_oneof![noise(), real];
    let property = |text: String| {
        if let Ok(value) = read_configuration(&text) {
            prop_assert!(depth(&value) <= 129);
        }
        Ok(())
    };
    runner(CASES).run(&text, property).expect("a configuration");
    let through = |text: String| {
        let maps = [("openclaw.json".to_owned(), text)].into();
        let observed = Observed {
            config_maps: [("there".to_owned(), Fact::Known(maps))].into(),
            ..Observed::default()
        };
        let spec = json!({"config": {"configMapRef": {"name": "there"}, "format": "json5"}});
        let document = json!({"metadata": {"name": "ada"}, "spec": spec});
        let (instance, _) = openclaw_render::decode_instance(document).expect("it decodes");
        let resolution = resolve(&instance, &observed, &Settings::default());
        let is_refused = resolution.problems.iter().any(|it| it.severity == Severity::Error);
        prop_assert_eq!(resolution.resolved.is_none(), is_refused);
        Ok(())
    };
    runner(COSTLY_CASES).run(&text, through).expect("a configuration");
}

#[test]
fn any_seed_plan_is_read_or_refused_and_no_path_of_one_leaves_its_root() {
    let fixture = fixtures::all("instances").into_iter().find(|it| it.name == "workspace");
    let (objects, _) = fixture.expect("the fixture").render();
    let mut plans = objects.iter().filter_map(|object| {
        let Object::ConfigMap(map) = object else { return None };
        map.data.as_ref()?.get("seed-plan.json").cloned()
    });
    let plan = plans.next_back().expect("a plan");
    let text = prop_oneof![noise(), edits().prop_map(move |how| mutated(&plan, &how))];
    let property = |text: String| {
        let _ = mode_bits(&text);
        if check_path(&text).is_ok() {
            prop_assert!(!text.starts_with('/') && !text.split('/').any(|step| step == ".."));
        }
        if let Ok(plan) = serde_json::from_str::<SeedPlan>(&text) {
            for path in plan.files.iter().map(|file| &file.path) {
                let _ = check_path(path);
            }
        }
        Ok(())
    };
    runner(CASES).run(&text, property).expect("a plan");
}

#[test]
fn any_amount_and_any_tag_is_read_or_refused() {
    let text = prop_oneof![noise(), "[-+]?[0-9.]{0,24}[eE]?[0-9]{0,4}[numkKMGTPEi]{0,3}"];
    let property = |text: String| {
        let _ = Version::from_tag(&text);
        if let Ok(canonical) = quantity::canonical(&text) {
            // Written once more, it stays as it is.
            prop_assert_eq!(quantity::canonical(&canonical), Ok(canonical.clone()), "{}", text);
            let (one, other) = (quantity::parse(&text), quantity::parse(&canonical));
            prop_assert_eq!(one.ok(), other.ok(), "{}", text);
        }
        Ok(())
    };
    runner(4 * CASES).run(&text, property).expect("an amount");
}

/// Texts that are right in one of the places.
const NEAR: &[&str] =
    &["10.0.0.0/8", "ghcr.io/a/b:1", "x-forwarded-user", "@scope/pkg@1.2.3", "10Gi"];

/// A spec with a text where people write references, names and addresses.
fn spec_with(text: &str) -> Value {
    json!({
        "image": {"repository": text, "tag": text, "digest": text, "version": text},
        "registry": text,
        "skills": [text, format!("npm:{text}"), format!("clawhub:{text}")],
        "plugins": [text],
        "resources": {"requests": {"memory": text}},
        "storage": {"persistence": {"size": text, "existingClaim": text}},
        "config": {"raw": {"gateway": {
            "trustedProxies": [text],
            "auth": {"mode": "trusted-proxy", "trustedProxy": {
                "userHeader": text, "requiredHeaders": [text],
            }},
        }}},
        "networking": {"ingress": {"enabled": true, "hosts": [{"host": text}]}},
    })
}

#[test]
fn any_text_in_any_one_place_is_a_problem_or_stays_what_it_is() {
    let places = spec_with("");
    let pointers = places.as_object().expect("a spec").keys().cloned().collect::<Vec<_>>();
    let near = (prop::sample::select(NEAR), edits());
    let text = prop_oneof![noise(), near.prop_map(|(text, how)| mutated(text, &how))];
    let input = (prop::sample::select(pointers), text);
    let property = |(section, text): (String, String)| {
        let spec = json!({section.as_str(): spec_with(&text)[section.as_str()]});
        let document = json!({"metadata": {"name": "ada"}, "spec": spec});
        let Ok((instance, _)) = openclaw_render::decode_instance(document) else { return Ok(()) };
        let (objects, problems) =
            openclaw_render::render_instance(&instance, &Observed::default(), &Settings::default());
        prop_assert!(!objects.is_empty() || !problems.is_empty());
        for object in &objects {
            let Object::ConfigMap(map) = object else { continue };
            let Some(nginx) = map.data.as_ref().and_then(|data| data.get("nginx.conf")) else {
                continue;
            };
            // Directives are ours alone: as many openings as closings, no sign but those of ours.
            let count = |sign: char| nginx.chars().filter(|it| *it == sign).count();
            prop_assert_eq!(count('{'), count('}'), "{}", text);
            let is_clean = nginx.is_ascii() && !nginx.contains("${") && !nginx.contains('\0');
            prop_assert!(is_clean, "{}", text);
        }
        let key = ObjectKey::new(Kind::StatefulSet, "ada");
        prop_assert!(objects.is_empty() || objects.iter().any(|object| object.key() == key));
        Ok(())
    };
    runner(2 * COSTLY_CASES).run(&input, property).expect("a text");
}

/// References to packs that are right, and what follows from a few changed bytes.
const PACKS: &[&str] = &["acme/skills/image@v2", "a/b/.", "a/b/c/.d/e@feature/x", "a/b/..c@1.0.0"];

#[test]
fn a_reference_to_a_pack_is_refused_or_written_again_as_it_was_and_stays_in_its_folder() {
    let near = (prop::sample::select(PACKS), edits());
    let text = prop_oneof![noise(), near.prop_map(|(text, how)| mutated(text, &how))];
    let property = |text: String| {
        let Ok(read) = PackReference::parse(&text) else { return Ok(()) };
        prop_assert_eq!(read.to_string(), text.clone());
        prop_assert_eq!(PackReference::parse(&read.to_string()).ok(), Some(read.clone()));
        let file = read.file("SKILL.md");
        let goes_down = file.split('/').all(|step| !matches!(step, "" | "." | ".."));
        prop_assert!(goes_down, "{} {}", text, file);
        Ok(())
    };
    runner(4 * CASES).run(&text, property).expect("a reference");
    for text in PACKS {
        assert!(PackReference::parse(text).is_ok(), "{text}");
    }
}

/// The image of the agent's container.
fn image_of(spec: &Value) -> Option<String> {
    let document = json!({"metadata": {"name": "ada"}, "spec": spec});
    let (instance, _) = openclaw_render::decode_instance(document).ok()?;
    let (objects, _) =
        openclaw_render::render_instance(&instance, &Observed::default(), &Settings::default());
    let set = objects.iter().find(|object| object.kind() == Kind::StatefulSet)?.to_value();
    let containers = set.pointer("/spec/template/spec/containers")?.as_array()?;
    let agent = containers.iter().find(|each| each.get("name") == Some(&json!("openclaw")))?;
    agent.get("image")?.as_str().map(str::to_owned)
}

#[test]
fn an_image_is_refused_or_is_made_of_what_was_written_and_of_nothing_else() {
    const PARTS: &[&str] = &["ghcr.io/a/b", "host:5000/c", "2026.9.6", "1.2-slim"];
    let part = || {
        let near = (prop::sample::select(PARTS), edits());
        let near = near.prop_map(|(text, how)| mutated(text, &how));
        prop_oneof![noise(), near, prop::sample::select(PARTS).prop_map(str::to_owned)]
    };
    let property = |(repository, tag): (String, String)| {
        prop_assume!(!repository.is_empty() && !tag.is_empty());
        let spec = json!({"image": {"repository": repository, "tag": tag}});
        if let Some(image) = image_of(&spec) {
            prop_assert_eq!(image, format!("{repository}:{tag}"));
        }
        Ok(())
    };
    runner(COSTLY_CASES).run(&(part(), part()), property).expect("an image");
    let spec = json!({"image": {"repository": "ghcr.io/a/b", "tag": "1.2"}});
    assert_eq!(image_of(&spec).as_deref(), Some("ghcr.io/a/b:1.2"));
}
