//! The limits of single values that the API server holds against a spec, held here too.
//!
//! What is only in a file has not met them yet. The table of them is [`crate::api::schema::bounds`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use serde::Serialize;

use super::resources;
use super::spellings::{SPELLINGS, Spelling};
use super::walk::{Found, walk};
use crate::api::ConditionType;
use crate::api::schema::bounds::{
    INSTANCE_CHOICES, INSTANCE_LISTS, INSTANCE_NUMBERS, INSTANCE_PATTERNS, INSTANCE_TIMES,
};
use crate::api::schema::spellings::{
    DIGEST, QUANTITY_LENGTH, REPOSITORY, REPOSITORY_LENGTH, TAG, TAG_LENGTH,
};
use crate::problem::{Problem, Rule, Severity};
use crate::vocab::{grammar, schedule};

/// What to know of single limits besides.
const REMARKS: &[(&str, &str)] = &[
    ("spec.replicas", "an agent is one pod, or off"),
    ("spec.security.containerSecurityContext.runAsUser", NEVER_ROOT),
    ("spec.security.podSecurityContext.runAsUser", NEVER_ROOT),
    ("spec.security.rbac.additionalRules[].apiGroups", "`\"\"` is the core group"),
];
/// Parts of a spec that a condition of their own tells of.
const SUBJECTS: &[(&str, ConditionType)] = &[
    ("spec.config.configMapRef", ConditionType::ConfigValid),
    ("spec.env", ConditionType::SecretsReady),
    ("spec.gateway.existingSecret", ConditionType::SecretsReady),
    ("spec.security.networkPolicy", ConditionType::NetworkPolicyReady),
    ("spec.storage", ConditionType::StorageReady),
];
const NO_DIGEST: &str = "is not a digest: write `sha256:` and 64 lower-case hexadecimal digits";
const NEVER_ROOT: &str = "an agent never runs as root, and 1000 is the user of its image";

/// Sections of which nothing counts while they are off, and whether they are on where nobody says.
const SWITCHED: &[(&str, bool)] = &[
    ("spec.autoUpdate", false),
    ("spec.availability.autoScaling", false),
    ("spec.availability.podDisruptionBudget", true),
    ("spec.chromium", false),
    ("spec.chromium.persistence", false),
    ("spec.netbird", false),
    ("spec.networking.httpRoute", false),
    ("spec.networking.ingress", false),
    ("spec.networking.ingress.security.basicAuth", false),
    ("spec.networking.ingress.security.rateLimiting", true),
    ("spec.observability.metrics.grafanaDashboard", false),
    ("spec.observability.metrics.prometheusRule", false),
    ("spec.observability.metrics.serviceMonitor", false),
    ("spec.ollama", false),
    ("spec.probes.diskReadiness", false),
    ("spec.probes.liveness", true),
    ("spec.probes.readiness", true),
    ("spec.probes.startup", true),
    ("spec.security.networkPolicy", true),
    ("spec.selfConfigure", false),
    ("spec.tailscale", false),
    ("spec.webTerminal", false),
];

/// Returns what the API server would refuse of a spec, of an instance or of ClusterDefaults: their
/// limits are the same. It must be what the user wrote, for what is merged may be larger.
///
/// What was stored before there was a limit and is switched off stops nothing.
pub(crate) fn problems(spec: &impl Serialize) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut switches = BTreeMap::new();
    let mut taken = BTreeSet::new();
    // The walk ends early only at what the API does not have.
    let _ = walk("spec", spec, &mut |place, value| {
        if let (Found::Switch(is_on), Some(section)) =
            (value, place.kind().strip_suffix(".enabled"))
        {
            switches.insert(section.to_owned(), is_on);
        }
        if let (Found::Text(text), Some(list)) = (value, place.kind().strip_suffix("[]"))
            && rows(INSTANCE_LISTS, |row| row.0, list).any(|(_, kind, _)| *kind == "set")
        {
            let path = place.path();
            let list = path.rsplit_once('[').map_or_else(String::new, |(list, _)| list.to_owned());
            if !taken.insert((list, text.to_owned())) {
                let problem = Problem::error(
                    path,
                    Rule::Invalid,
                    format!("{text:?} is there twice: remove one"),
                );
                found.push(problem.about(subject(place.kind())));
            }
        }
        if let Some(mut message) = broken(place.kind(), value) {
            if let Some((_, remark)) = REMARKS.iter().find(|(kind, _)| *kind == place.kind()) {
                let _ = write!(message, "; {remark}");
            }
            let problem = Problem::error(place.path(), Rule::Invalid, message);
            found.push(problem.about(subject(place.kind())));
        }
    });
    let of_section = |problem: Problem| match section_that_is_off(&problem.path, &switches) {
        None => problem,
        Some(section) => Problem {
            severity: Severity::Advice,
            message: format!(
                "{}: it has no effect while `{section}.enabled` is not true, and the API server \
                 refuses it when it is written",
                problem.message
            ),
            ..problem
        },
    };
    found.into_iter().map(of_section).collect()
}

/// Returns the section around a value that is off.
fn section_that_is_off(path: &str, switches: &BTreeMap<String, bool>) -> Option<&'static str> {
    let surrounds =
        |section: &str| path.strip_prefix(section).is_some_and(|it| it.starts_with('.'));
    let is_on = |section: &str, default| switches.get(section).copied().unwrap_or(default);
    let mut around = SWITCHED.iter().filter(|(section, _)| surrounds(section));
    around.find(|(section, default)| !is_on(section, *default)).map(|(section, _)| *section)
}

/// Returns the condition that tells of what is wrong at a place.
fn subject(kind: &str) -> ConditionType {
    let row = SUBJECTS.iter().find(|(beginning, _)| kind.starts_with(beginning));
    row.map_or(ConditionType::Ready, |(_, subject)| *subject)
}

/// Returns the first limit that a value breaks.
fn broken(kind: &str, value: Found<'_>) -> Option<String> {
    let mut rows = rows(INSTANCE_NUMBERS, |row| row.0, kind);
    match value {
        Found::Number(number) => {
            rows.find_map(|(_, keyword, limit)| too_small_or_large(number, keyword, *limit))
        }
        Found::Text(text) => rows
            .find_map(|(_, keyword, limit)| too_long_or_short(text, keyword, *limit))
            .or_else(|| too_long_or_short(text, "maxLength", of_image(kind)?.1))
            .or_else(|| misspelled(kind, text)),
        Found::Switch(_) => None,
        Found::Amount(text) => {
            too_long_or_short(text, "maxLength", QUANTITY_LENGTH).or_else(|| no_amount(text))
        }
        Found::List(count) | Found::Map(count) => {
            rows.find_map(|(_, keyword, limit)| too_few_or_many(count, keyword, *limit))
        }
    }
}

/// Returns what is wrong with a number.
pub(crate) fn too_small_or_large<N: Copy + PartialOrd + fmt::Display>(
    number: N,
    keyword: &str,
    limit: N,
) -> Option<String> {
    match keyword {
        "minimum" if number < limit => Some(format!("{number} is too small: use {limit} or more")),
        "maximum" if number > limit => Some(format!("{number} is too large: use {limit} or less")),
        _ => None,
    }
}

/// Returns what is wrong with how much is in a list or a map.
pub(crate) fn too_few_or_many(count: usize, keyword: &str, limit: i64) -> Option<String> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    match keyword {
        "minItems" | "minProperties" if count < limit => {
            Some(format!("needs {limit} entry or more"))
        }
        "maxItems" | "maxProperties" if count > limit => {
            Some(format!("has {count} entries, and {limit} are allowed"))
        }
        _ => None,
    }
}

/// Returns what is wrong with the length of a text.
pub(crate) fn too_long_or_short(text: &str, keyword: &str, limit: i64) -> Option<String> {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    match keyword {
        "minLength" if length < limit => Some("must not be empty".to_owned()),
        "maxLength" if length > limit => {
            Some(format!("has {length} characters, and {limit} are allowed"))
        }
        _ => None,
    }
}

fn no_amount(text: &str) -> Option<String> {
    let is_right = text.is_empty() || resources::canonical(text).is_some();
    let message = || {
        format!("{text:?} is no quantity of zero or more: write for example `500m`, `2` or `4Gi`")
    };
    (!is_right).then(message)
}

/// Returns what is wrong with a text by a pattern of ours: the rest of a sentence.
pub(crate) fn misspelled_by(pattern: &str, text: &str) -> Option<String> {
    if pattern == DIGEST {
        return (!text.is_empty() && !grammar::is_digest(text)).then(|| NO_DIGEST.to_owned());
    }
    spelling(pattern)?.complaint(text)
}

fn misspelled(kind: &str, text: &str) -> Option<String> {
    // Everything that is called so is a digest of an image.
    if kind.ends_with(".digest") && !text.is_empty() && !grammar::is_digest(text) {
        return Some(NO_DIGEST.to_owned());
    }
    let patterns = rows(INSTANCE_PATTERNS, |row| row.0, kind).map(|(_, pattern)| *pattern);
    let patterns = patterns.chain(of_image(kind).map(|(pattern, _)| pattern));
    let mut complaints = patterns.filter_map(spelling).filter_map(|it| it.complaint(text));
    if let Some(complaint) = complaints.next() {
        return Some(format!("{text:?} {complaint}"));
    }
    if let Some((_, least, most)) = rows(INSTANCE_TIMES, |row| row.0, kind).next()
        && !text.is_empty()
        && schedule::seconds(text).is_none_or(|it| it < f64::from(*least) || it > f64::from(*most))
    {
        let (least, most) = (schedule::short(*least), schedule::short(*most));
        return Some(format!("{text:?} is no time of `{least}` to `{most}`, as Go writes them"));
    }
    let mut choices = rows(INSTANCE_CHOICES, |row| row.0, kind).map(|(_, choices)| *choices);
    choices.find_map(|choices| no_choice(text, choices))
}

/// Returns what is wrong with a text that is none of those which may stand there.
pub(crate) fn no_choice(text: &str, choices: &[&str]) -> Option<String> {
    if choices.contains(&text) {
        return None;
    }
    let written: Vec<&str> = choices.iter().copied().filter(|choice| !choice.is_empty()).collect();
    Some(format!("{text:?} is not a choice: use one of {}", written.join(", ")))
}

/// Returns how a part of an image is written, and how long it may be.
fn of_image(kind: &str) -> Option<(&'static str, i64)> {
    let (_, part) = kind.rsplit_once('.').filter(|(parent, _)| parent.ends_with("mage"))?;
    match part {
        "repository" => Some((REPOSITORY, REPOSITORY_LENGTH)),
        "tag" => Some((TAG, TAG_LENGTH)),
        _ => None,
    }
}

fn spelling(pattern: &str) -> Option<&'static Spelling> {
    SPELLINGS.iter().find(|spelling| spelling.pattern == pattern)
}

/// Returns the rows of a table, sorted by kind, that are about one kind.
fn rows<R>(
    table: &'static [R],
    kind_of: fn(&R) -> &'static str,
    kind: &str,
) -> impl Iterator<Item = &'static R> {
    let start = table.partition_point(|row| kind_of(row) < kind);
    let rows = table.get(start..).unwrap_or_default().iter();
    rows.take_while(move |row| kind_of(row) == kind)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use serde_json::{Map, Value, json};

    use super::*;
    use crate::api::schema::bounds::{CLUSTER_DEFAULTS_NUMBERS, CLUSTER_DEFAULTS_PATTERNS};
    use crate::api::schema::spellings::{FOLDER, QUANTITY, RELATIVE, RESTORE_SOURCE, USER_NAME};
    use crate::api::{OpenClawInstance, custom_resource_definitions};
    use crate::{Observed, Settings, resolve};

    /// The schema of an instance's spec.
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
        let of_instances =
            |definition: &Value| definition["spec"]["names"]["kind"] == "OpenClawInstance";
        let definition = custom_resource_definitions().into_iter().find(of_instances).unwrap();
        definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone()
    });

    /// The least value that decodes, with something in it.
    fn least(schema: &Value) -> Value {
        let with_required = || {
            let names = schema["required"].as_array().into_iter().flatten();
            let names = names.map(|name| name.as_str().unwrap());
            names.map(|name| (name.to_owned(), least(&schema["properties"][name]))).collect()
        };
        match schema["type"].as_str() {
            Some("object") => Value::Object(with_required()),
            Some("array") => json!([least(&schema["items"])]),
            Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("boolean") => json!(true),
            _ => schema["enum"].as_array().map_or(json!("a"), |choices| choices[0].clone()),
        }
    }

    /// The least spec with a value at a place, and the value's path.
    fn spec_with(kind: &str, value: &Value) -> (Value, String) {
        fn put(schema: &Value, steps: &[&str], value: &Value) -> Value {
            let Some((first, rest)) = steps.split_first() else { return value.clone() };
            let name = first.trim_end_matches("[]");
            let mut inner = &schema["properties"][name];
            let in_list = first.ends_with("[]");
            if in_list {
                inner = &inner["items"];
            }
            let put = put(inner, rest, value);
            let mut object = least(schema);
            if schema["properties"]["enabled"].is_object() {
                object["enabled"] = json!(true);
            }
            object[name] = if in_list { json!([put]) } else { put };
            object
        }
        let steps: Vec<&str> = kind.split('.').skip(1).collect();
        (put(&SCHEMA, &steps, value), kind.replace("[]", "[0]"))
    }

    fn at<'a>(schema: &'a Value, kind: &str) -> &'a Value {
        kind.split('.').skip(1).fold(schema, |schema, step| {
            let name = step.trim_end_matches("[]");
            let field = &schema["properties"][name];
            if step.ends_with("[]") { &field["items"] } else { field }
        })
    }

    fn errors(spec: &Value) -> Vec<Problem> {
        let document = json!({"metadata": {"name": "ada"}, "spec": spec});
        let instance: OpenClawInstance = serde_json::from_value(document).unwrap();
        let resolution = resolve(&instance, &Observed::default(), &Settings::default());
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        resolution.problems.into_iter().filter(is_error).collect()
    }

    fn is_refused_once(kind: &str, value: &Value, words: &str) {
        let (spec, path) = spec_with(kind, value);
        let errors = errors(&spec);
        let is_it = |problem: &&Problem| problem.path == path && problem.message.contains(words);
        assert_eq!(errors.iter().filter(is_it).count(), 1, "{path}: {value}: {errors:#?}");
    }

    fn of_spec(kind: &str) -> bool {
        kind.starts_with("spec.")
    }

    #[test]
    fn every_limit_is_held() {
        for (kind, keyword, limit) in INSTANCE_NUMBERS.iter().filter(|row| of_spec(row.0)) {
            let item = least(&at(&SCHEMA, kind)["items"]);
            let count = usize::try_from(*limit).unwrap_or_default();
            let (value, words) = match *keyword {
                "minimum" => (json!(limit - 1), "is too small"),
                "maximum" => (json!(limit + 1), "is too large"),
                "minLength" => (json!("a".repeat(count - 1)), "must not be empty"),
                "maxLength" => (json!("a".repeat(count + 1)), "characters"),
                "minItems" => (json!(vec![item; count - 1]), "entry or more"),
                "maxItems" => (json!(vec![item; count + 1]), "entries"),
                "maxProperties" => {
                    let entry = |number| (format!("{number}.md"), json!("a"));
                    let entries: Map<String, Value> = (0..=count).map(entry).collect();
                    (Value::Object(entries), "entries")
                }
                other => panic!("{kind}: nobody holds {other}"),
            };
            is_refused_once(kind, &value, words);
        }
    }

    #[test]
    fn what_is_wrong_in_a_section_that_is_off_is_advice() {
        for (section, default) in SWITCHED {
            assert!(at(&SCHEMA, section)["properties"]["enabled"].is_object(), "{section}");
            let mut number = (INSTANCE_NUMBERS.iter())
                .filter(|(kind, keyword, _)| {
                    let below = kind.strip_prefix(section).is_some_and(|it| it.starts_with('.'));
                    below && !kind.contains("[]") && ["minimum", "maxLength"].contains(keyword)
                })
                .map(|(kind, keyword, limit)| {
                    let long = usize::try_from(limit + 1).unwrap_or_default();
                    let is_number = *keyword == "minimum";
                    let value = if is_number { json!(limit - 1) } else { json!("a".repeat(long)) };
                    spec_with(kind, &value)
                });
            let Some((mut spec, path)) = number.next() else { continue };
            let pointer = format!("/{}/enabled", section.replace('.', "/")).replace("/spec/", "/");
            let of = |spec: &Value| -> Vec<Severity> {
                let document = json!({"metadata": {"name": "ada"}, "spec": spec});
                let instance: OpenClawInstance = serde_json::from_value(document).unwrap();
                let all = problems(&instance.spec).into_iter();
                all.filter(|it| it.path == path).map(|it| it.severity).collect()
            };
            assert_eq!(of(&spec), [Severity::Error], "{path}");
            for is_on in [json!(false), Value::Null] {
                let expected =
                    if is_on.is_null() && *default { Severity::Error } else { Severity::Advice };
                *spec.pointer_mut(&pointer).expect("a switch") = is_on;
                assert_eq!(of(&spec), [expected], "{path}");
            }
        }
    }

    #[test]
    fn every_spelling_is_held() {
        for (kind, pattern) in INSTANCE_PATTERNS.iter().filter(|row| of_spec(row.0)) {
            let held = spelling(pattern);
            assert!(held.is_some(), "{kind}: nobody holds {pattern}");
            let wrong = match *pattern {
                RELATIVE => "/a",
                FOLDER => "..",
                USER_NAME => ":",
                RESTORE_SOURCE => "/",
                _ => "=",
            };
            let complaint = held.and_then(|held| held.complaint(wrong));
            is_refused_once(kind, &json!(wrong), &complaint.expect("it is wrong"));
        }
    }

    #[test]
    fn every_time_is_held() {
        for (kind, least, most) in INSTANCE_TIMES {
            for wrong in
                ["soon", "-1h", "2 h", &format!("{}s", least - 1), &format!("{}s", most + 1)]
            {
                is_refused_once(kind, &json!(wrong), "is no time of");
            }
        }
    }

    /// Paths of all values below a schema of which `is_it` is true, less those in maps.
    fn kinds(
        kind: &str,
        schema: &Value,
        is_it: &dyn Fn(&str, &Value) -> bool,
        found: &mut Vec<String>,
    ) {
        if is_it(kind, schema) {
            found.push(kind.to_owned());
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            kinds(&format!("{kind}.{name}"), inner, is_it, found);
        }
        if schema["items"].is_object() {
            kinds(&format!("{kind}[]"), &schema["items"], is_it, found);
        }
    }

    #[test]
    fn every_amount_and_every_part_of_an_image_is_held() {
        let mut amounts = Vec::new();
        kinds("spec", &SCHEMA, &|_, schema| schema["pattern"] == QUANTITY, &mut amounts);
        assert!(amounts.len() > 20, "{amounts:?}");
        for kind in amounts {
            is_refused_once(&kind, &json!("many"), "is no quantity");
            is_refused_once(&kind, &json!("-1"), "is no quantity");
            is_refused_once(&kind, &json!("1".repeat(33)), "characters");
        }
        let mut digests = Vec::new();
        kinds("spec", &SCHEMA, &|_, schema| schema["pattern"] == DIGEST, &mut digests);
        assert!(digests.len() > 5, "{digests:?}");
        for kind in digests {
            is_refused_once(&kind, &json!("sha256:abc"), "is not a digest");
        }
        for (pattern, long, words) in [
            (REPOSITORY, REPOSITORY_LENGTH, "is not a repository"),
            (TAG, TAG_LENGTH, "is not a tag"),
        ] {
            let mut parts = Vec::new();
            kinds("spec", &SCHEMA, &|_, schema| schema["pattern"] == pattern, &mut parts);
            assert!(parts.len() > 5, "{parts:?}");
            for kind in parts {
                is_refused_once(&kind, &json!("a b"), words);
                let long = "a".repeat(usize::try_from(long).unwrap() + 1);
                is_refused_once(&kind, &json!(long), "characters");
            }
        }
    }

    #[test]
    fn only_what_there_is_can_be_chosen() {
        for (kind, choices) in INSTANCE_CHOICES.iter().filter(|row| of_spec(row.0)) {
            let (spec, _) = spec_with(kind, &json!("Neither"));
            let document = json!({"metadata": {"name": "ada"}, "spec": spec});
            // What a type holds does not decode.
            if serde_json::from_value::<OpenClawInstance>(document).is_ok() {
                is_refused_once(kind, &json!("Neither"), "is not a choice");
            }
            for choice in *choices {
                assert_eq!(broken(kind, Found::Text(choice)), None, "{kind}");
            }
        }
    }

    /// A value with every field.
    fn full(schema: &Value) -> Value {
        if let Some(properties) = schema["properties"].as_object() {
            let fields = properties.iter().map(|(name, inner)| (name.clone(), full(inner)));
            return Value::Object(fields.collect());
        }
        match schema["type"].as_str() {
            Some("array") => json!([full(&schema["items"])]),
            Some("object") => json!({}),
            _ => least(schema),
        }
    }

    #[test]
    fn a_walk_ends_at_nothing_that_the_api_has() {
        let document = json!({"metadata": {"name": "ada"}, "spec": full(&SCHEMA)});
        let instance: OpenClawInstance = serde_json::from_value(document).unwrap();
        assert_eq!(walk("spec", &instance.spec, &mut |_, _| {}), Ok(()));
    }

    /// Texts of all kinds, right and wrong.
    const TEXTS: &[&str] = &[
        "",
        "a",
        "a-b",
        "a--b",
        "-a",
        "a-",
        "A",
        "a_b",
        "a.b",
        ".a",
        "a.",
        "a..b",
        "a b",
        "=",
        "a=b",
        "/",
        "/a",
        "a/",
        "a\nb",
        "ä",
        "2026.9.6",
        "2026.13.1",
        "v2026.9.6",
        "2026.9",
        "2026.9.6-beta.1",
        "26.9.6",
        "2026.123.1",
        "2026.9.",
        "1",
        "/a/.",
        "/a/..",
        "/a/...",
        "/a/..b/.c",
        "/a//",
        "/..",
        "30s",
        "1m30s",
        "1h5ms",
        "5s1m",
        "30 s",
        "s",
        "host:5000/team/",
        "host:x/team",
        "[::1]:5000",
        "[::1/a",
        "https://host/team",
        "Host/team",
        "host/Team",
        "host//team",
        "ghcr.io/openclaw/openclaw",
        "1@sha256:abc",
        "1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "\u{7f}",
        "1h30m",
        "-1.5h",
        "0",
        "5",
        "1h 5m",
        "0 3 * * *",
        "*/5 0-6/2,12 1 JAN,mar mon-fri",
        "60 3 * * *",
        "* * * * 7",
        "*/0 * * * *",
        "? ? ? ? ?",
        "@daily",
        "@reboot",
        "@every 1h30m",
        "@every",
        "at night",
        "0 0 3 * * 6",
        "Europe/Vienna",
        "Etc/GMT+1",
        "../../etc/passwd",
        "..",
        "a/../b",
        "a/.../b",
        "https://docs.example.com/runbooks/",
        "https:///a",
        "https://a/{{ .Value }}",
        "ada.example.com",
        "*.example.com",
        "*",
        "https://ada.example.com",
        "/a\"",
        "/a;b",
        "/a b",
        "/a\u{2028}b",
        "a:b",
        "#a",
        "weather",
        "@weather",
        "@a/notes@1.0.0",
        "@a/-x",
        "x@^1",
        "--force",
        "npm:cowsay@1.6.0",
        "npm:@a/x@latest",
        "npm:user/repository",
        "npm:git+https://example.com/x",
        "clawhub:@openclaw/discord",
        "git:example/plugin",
        "pack:",
        "pack:acme/skills",
        "pack:acme/skills/.",
        "pack:acme/skills/image@v2",
        "pack:acme/skills/../secrets",
        "pack:https://github.com/acme/skills",
        "s3://agents",
        "s3://agents/a/b.tar.gz",
        "s3:///path",
        "gs://bucket/path",
        "/backups/x/",
    ];

    #[test]
    fn a_spelling_is_what_its_pattern_says() {
        for Spelling { pattern, is_right, .. } in SPELLINGS {
            let schema = jsonschema::validator_for(&json!({"pattern": pattern})).unwrap();
            for text in TEXTS {
                let accepted = schema.is_valid(&json!(text));
                assert_eq!((is_right)(text), accepted, "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn cluster_defaults_have_no_limit_of_their_own() {
        let of_spec = |row: &&(&str, &str, i64)| row.0.starts_with("spec.");
        for row in CLUSTER_DEFAULTS_NUMBERS.iter().filter(of_spec) {
            assert!(INSTANCE_NUMBERS.contains(row), "{row:?}");
        }
        for row in CLUSTER_DEFAULTS_PATTERNS.iter().filter(|row| row.0.starts_with("spec.")) {
            assert!(INSTANCE_PATTERNS.contains(row), "{row:?}");
        }
    }

    #[test]
    fn tables_are_sorted() {
        assert!(INSTANCE_NUMBERS.is_sorted_by_key(|row| row.0));
        assert!(INSTANCE_PATTERNS.is_sorted_by_key(|row| row.0));
        assert!(INSTANCE_CHOICES.is_sorted_by_key(|row| row.0));
        assert!(INSTANCE_LISTS.is_sorted_by_key(|row| row.0));
        assert!(SWITCHED.is_sorted());
    }
}
