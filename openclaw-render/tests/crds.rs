//! The `CustomResourceDefinitions` against those of the Go operator, version 0.40.0, whose schemas,
//! less the descriptions, are in `tests/data/crds`: what is accepted there is accepted here.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use openclaw_render::api::custom_resource_definitions;
use openclaw_render::{Kind, Observed, Rule, Settings, Severity, decode_instance, render_instance};
use serde_json::{Map, Value, json};

/// Where ours refuses what the other accepts, or merges differently. `*` stands for any beginning of
/// a path. An entry that is no difference any more fails.
const ON_PURPOSE: &[(&str, &str, &str)] = &[
    // Shape.
    (
        "*s[].ports",
        "x-kubernetes-list-type",
        "keyed by a protocol that may be left out, which needs a default; we have none",
    ),
    ("*s[].ports", "x-kubernetes-list-map-keys", "as above"),
    (
        "spec.workspace.additionalWorkspaces",
        "x-kubernetes-list-type",
        "two workspaces of one name never worked",
    ),
    ("spec.workspace.additionalWorkspaces", "x-kubernetes-list-map-keys", "as above"),
    (
        "spec.networking.service.ports",
        "x-kubernetes-list-type",
        "the API server refuses a Service with two ports of one name",
    ),
    ("spec.networking.service.ports", "x-kubernetes-list-map-keys", "as above"),
    ("status.conditions", "x-kubernetes-list-type", "only the operator writes it, one of a type"),
    ("status.conditions", "x-kubernetes-list-map-keys", "as above"),
    // What never made a working pod.
    ("*.digest", "pattern", "no registry knows another algorithm"),
    ("*.digest", "maxLength", "length of a digest"),
    ("*.cpu", "pattern", "text that is no quantity"),
    ("*.memory", "pattern", "text that is no quantity"),
    ("*.size", "pattern", "text that is no quantity"),
    ("*.sizeLimit", "pattern", "text that is no quantity"),
    ("*.minFree", "pattern", "text that is no quantity"),
    ("*.cpu", "minimum", "negative"),
    ("*.memory", "minimum", "negative"),
    ("*.size", "minimum", "negative"),
    ("*.sizeLimit", "minimum", "negative"),
    ("*.minFree", "minimum", "negative"),
    ("spec.availability.podDisruptionBudget.maxUnavailable", "minimum", "a budget of less than 0"),
    ("*.initialDelaySeconds", "minimum", "the API server refuses the pod"),
    ("*.periodSeconds", "minimum", "the API server refuses the pod"),
    ("*.timeoutSeconds", "minimum", "the API server refuses the pod"),
    ("*.failureThreshold", "minimum", "the API server refuses the pod"),
    ("*containerSecurityContext.runAsUser", "minimum", "root, against the documented contract"),
    ("*podSecurityContext.runAsUser", "minimum", "root, against the documented contract"),
    ("*.runAsUser", "maximum", "the API server refuses the pod"),
    ("*.runAsGroup", "minimum", "the API server refuses the pod"),
    ("*.runAsGroup", "maximum", "the API server refuses the pod"),
    ("*.fsGroup", "minimum", "the API server refuses the pod"),
    ("*.fsGroup", "maximum", "the API server refuses the pod"),
    ("*.additionalRules[].apiGroups", "minItems", "the API server refuses the Role"),
    ("*.additionalRules[].resources", "minItems", "the API server refuses the Role"),
    ("*.additionalRules[].verbs", "minItems", "the API server refuses the Role"),
    ("spec.storage.persistence.accessModes[]", "enum", "the API server refuses the claim"),
    ("spec.env[].name", "minLength", "the API server refuses the pod"),
    ("spec.env[].name", "pattern", "the API server refuses the pod"),
    ("spec.config.forcePaths[]", "pattern", "a path that leads nowhere"),
    // Limits that bound the cost of rules.
    ("*.cpu", "maxLength", "longer quantities have no meaning"),
    ("*.memory", "maxLength", "longer quantities have no meaning"),
    ("*.size", "maxLength", "longer quantities have no meaning"),
    ("*.sizeLimit", "maxLength", "longer quantities have no meaning"),
    ("*.minFree", "maxLength", "longer quantities have no meaning"),
    ("spec.autoUpdate.checkInterval", "maxLength", "longer durations have no meaning"),
    ("spec.autoUpdate.healthCheckTimeout", "maxLength", "longer durations have no meaning"),
    ("spec.backup.timeout", "maxLength", "longer durations have no meaning"),
    ("*.serviceMonitor.interval", "maxLength", "longer durations have no meaning"),
    ("spec.config.forcePaths[]", "maxLength", "bounds the rule on the list"),
    ("spec.env", "maxItems", "bounds the rules on entries"),
    ("spec.networking.ingress.hosts", "maxItems", "bounds the rules on hosts"),
    ("spec.networking.ingress.tls", "maxItems", "bounds the rules on hosts"),
    ("spec.plugins[]", "maxLength", "bounds the rules on entries"),
    ("spec.plugins[]", "minLength", "an entry that names nothing"),
    ("*skills[]", "maxLength", "bounds the rules on entries"),
    ("*skills[]", "minLength", "an entry that names nothing"),
    ("*initialDirectories[]", "maxLength", "longest path"),
    ("*initialDirectories[]", "minLength", "a path that leads nowhere"),
    ("*CIDRs", "maxItems", "bounds the rule on networks"),
    ("*CIDRs[]", "maxLength", "longest network"),
    ("spec.security.rbac.serviceAccountName", "maxLength", "longest name"),
    ("spec.storage.persistence.storageClass", "maxLength", "longest name"),
    ("spec.sidecars", "maxItems", "bounds the rules on containers"),
    ("spec.sidecarVolumes", "maxItems", "bounds the rules on volumes"),
    // Rules.
    ("", RULES, "names from which no object can be made; cluster defaults that nobody reads"),
    ("spec", RULES, "suspended and scaled"),
    ("spec.availability.autoScaling", RULES, "fewest and most the wrong way round"),
    ("spec.config", RULES, "forced paths without a merge"),
    ("spec.networking.service.ports", RULES, "the API server refuses the Service"),
    ("spec.security.caBundle", RULES, "two certificates or none"),
    ("*CIDRs[]", RULES, "the API server refuses the NetworkPolicy"),
    ("spec.security.rbac", RULES, "a pod without an account"),
    ("spec.storage.persistence", RULES, "a claim cannot change its class"),
    ("*initialDirectories[]", RULES, "paths that leave the workspace"),
    ("*initialFiles", RULES, "paths that leave the workspace, hide in it or collide"),
];

const RULES: &str = "x-kubernetes-validations";

/// Kubernetes types, whose descriptions are left out.
const EMBEDDED: &[&str] = &[
    "spec.availability.affinity.",
    "spec.availability.tolerations[]",
    "spec.availability.topologySpreadConstraints[]",
    "spec.backup.storage.secretRef.",
    "spec.chromium.extraEnv[]",
    "spec.env[]",
    "spec.envFrom[]",
    "spec.extraVolumeMounts[]",
    "spec.extraVolumes[]",
    "spec.image.pullSecrets[]",
    "spec.initContainers[]",
    "spec.netbird.setupKeySecretRef.",
    "spec.networking.metricsIngress.podSelector.",
    "spec.security.containerSecurityContext.capabilities.",
    "spec.security.networkPolicy.additionalEgress[]",
    "spec.sidecarVolumes[]",
    "spec.sidecars[]",
    "spec.tailscale.authKeySecretRef.",
    "spec.webTerminal.credential.secretRef.",
    "status.conditions[]",
];

/// Client-side apply keeps the whole object in an annotation, and annotations end at 262 144 bytes.
const MAX_BYTES: usize = 230_000;

/// Shorter descriptions have not said what a field is for.
const SHORTEST: usize = 30;

/// `kubectl explain` shows the beginning in lists of fields.
const MOST_WORDS: usize = 12;

/// Beginnings of texts that repeat the name of their field.
const HOLLOW: &[&str] = &[
    "Whether there is",
    "Whether there are",
    "Its ",
    "Their ",
    "It is ",
    "The name.",
    "The key.",
    "What is and what is not",
    "Where and how many",
];

type Fields = BTreeMap<String, Map<String, Value>>;

#[expect(clippy::disallowed_methods, reason = "a test reads its data from disk")]
fn pairs() -> Vec<(Value, Value)> {
    custom_resource_definitions()
        .into_iter()
        .map(|ours| {
            let plural = ours["spec"]["names"]["plural"].as_str().unwrap();
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(format!("tests/data/crds/{plural}.json"));
            (serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap(), ours)
        })
        .collect()
}

fn version(definition: &Value) -> &Value {
    &definition["spec"]["versions"][0]
}

fn fields(schema: &Value) -> Fields {
    fn walk(schema: &Value, path: &str, fields: &mut Fields) {
        let Some(field) = schema.as_object() else { return };
        fields.insert(path.to_owned(), field.clone());
        for (name, child) in
            field.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let dot = if path.is_empty() { "" } else { "." };
            walk(child, &format!("{path}{dot}{name}"), fields);
        }
        for (key, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
            if let Some(child) = field.get(key) {
                walk(child, &format!("{path}{suffix}"), fields);
            }
        }
    }
    let mut all = Fields::new();
    walk(schema, "", &mut all);
    all
}

fn our_fields() -> Vec<Fields> {
    pairs().iter().map(|(_, ours)| fields(&version(ours)["schema"]["openAPIV3Schema"])).collect()
}

/// Keywords in which a field of ours refuses more than, or differs from, that of the other.
fn differences(theirs: &Map<String, Value>, ours: &Map<String, Value>) -> Vec<&'static str> {
    let mut found = Vec::new();
    let quantity = theirs.get("type").is_some_and(|kind| kind == "string")
        && ours.contains_key("x-kubernetes-int-or-string");
    for keyword in ["type", "anyOf", "x-kubernetes-int-or-string"] {
        if !quantity && theirs.get(keyword) != ours.get(keyword) {
            found.push(keyword);
        }
    }
    for keyword in [
        "format",
        "nullable",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
    ] {
        if theirs.get(keyword) != ours.get(keyword) {
            found.push(keyword);
        }
    }
    let set = |field: &Map<String, Value>, keyword| -> Option<BTreeSet<String>> {
        Some(field.get(keyword)?.as_array()?.iter().map(Value::to_string).collect())
    };
    let required = |field| set(field, "required").unwrap_or_default();
    if !required(ours).is_subset(&required(theirs)) {
        found.push("required");
    }
    if let Some(choices) = set(ours, "enum")
        && set(theirs, "enum").is_none_or(|theirs| !theirs.is_subset(&choices))
    {
        found.push("enum");
    }
    let number = |field: &Map<String, Value>, keyword| field.get(keyword).and_then(Value::as_f64);
    for keyword in ["minimum", "minLength", "minItems", "minProperties"] {
        if number(ours, keyword) > number(theirs, keyword) {
            found.push(keyword);
        }
    }
    for keyword in ["maximum", "maxLength", "maxItems", "maxProperties"] {
        let most = |field| number(field, keyword).unwrap_or(f64::INFINITY);
        if most(ours) < most(theirs) {
            found.push(keyword);
        }
    }
    if ours.get("pattern").is_some_and(|pattern| theirs.get("pattern") != Some(pattern)) {
        found.push("pattern");
    }
    if ours.contains_key(RULES) {
        found.push(RULES);
    }
    found
}

fn matches(entry: &str, path: &str) -> bool {
    match entry.strip_prefix('*') {
        Some(end) => path.ends_with(end),
        None => entry == path,
    }
}

#[test]
fn what_the_go_operator_accepts_is_accepted_but_for_what_the_table_names() {
    let mut unexplained = Vec::new();
    let mut used = BTreeSet::new();
    for (theirs, ours) in pairs() {
        let ours = fields(&version(&ours)["schema"]["openAPIV3Schema"]);
        for (path, theirs) in fields(&theirs["schema"]) {
            let found = match ours.get(&path) {
                None => vec!["missing"],
                Some(ours) => differences(&theirs, ours),
            };
            for keyword in found {
                let entry = ON_PURPOSE.iter().position(|(entry, expected, reason)| {
                    *expected == keyword && !reason.is_empty() && matches(entry, &path)
                });
                match entry {
                    Some(entry) => _ = used.insert(entry),
                    None => unexplained.push(format!("{path:?} {keyword}")),
                }
            }
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    let stale: Vec<_> =
        ON_PURPOSE.iter().enumerate().filter(|(entry, _)| !used.contains(entry)).collect();
    assert!(stale.is_empty(), "{stale:#?}");
}

/// Fields that the Go operator does not have, with everything below them.
const OURS: &[&str] = &[
    "spec.backup.storage",
    "spec.config.sync",
    "spec.image.version",
    "spec.maintenanceWindows",
    "spec.replicas",
    "spec.rollout",
    "spec.runtimeDeps.resources",
    "spec.security.networkPolicy.allowHTTPS",
    "spec.selfConfigure.allowedSkillSources",
    "spec.skillsInstall",
    "status.backups",
    "status.config",
    "status.replicas",
    "status.selector",
    "status.volume",
];

#[test]
fn no_field_is_ours_alone_but_for_those_that_the_list_names() {
    let mut found = BTreeSet::new();
    for (theirs, ours) in pairs() {
        let theirs = fields(&theirs["schema"]);
        let ours = fields(&version(&ours)["schema"]["openAPIV3Schema"]);
        let alone = ours.into_keys().filter(|path| !theirs.contains_key(path));
        let alone = alone.filter(|path| !EMBEDDED.iter().any(|type_| path.starts_with(type_)));
        found.extend(alone.map(|path| {
            let listed = OURS.iter().find(|ours| path.starts_with(*ours));
            listed.map_or(path.clone(), |ours| (*ours).to_owned())
        }));
    }
    assert_eq!(found, OURS.iter().map(|path| (*path).to_owned()).collect());
}

/// What the Go operator stores of an instance that sets nothing: it writes every section back, and
/// the API server fills in its schema's defaults.
fn stored(path: &str, schema: &Value) -> Value {
    // References cannot be empty, and of the names of a CA bundle one must be set.
    let left_out = |path: &str, schema: &Value| {
        schema.get("required").is_some() || path == "spec.security.caBundle"
    };
    let mut object = Map::new();
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if let Some(default) = inner.get("default") {
            object.insert(name.clone(), default.clone());
        } else if inner.get("properties").is_some() && !left_out(&path, inner) {
            object.insert(name.clone(), stored(&path, inner));
        }
    }
    Value::Object(object)
}

/// The fields of a value in the format `FieldsV1`.
fn field_set(value: &Value) -> Value {
    let fields = value.as_object().into_iter().flatten();
    fields
        .map(|(name, inner)| (format!("f:{name}"), field_set(inner)))
        .collect::<Map<_, _>>()
        .into()
}

#[test]
fn what_the_go_operator_stores_by_itself_decodes_and_asks_for_nothing_unsupported() {
    let pairs = pairs();
    let (theirs, _) = &pairs[1];
    let spec = stored("spec", &theirs["schema"]["properties"]["spec"]);
    assert_eq!(spec["workspace"]["fileUpdatePolicy"], "CreateOnly");
    assert_eq!(spec["networking"]["metricsIngress"]["from"], "SameNamespace");
    let manager = json!({
        "manager": "manager",
        "operation": "Update",
        "apiVersion": "openclaw.rocks/v1alpha1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": field_set(&spec)},
    });
    let (instance, unknown) = decode_instance(json!({
        "apiVersion": "openclaw.rocks/v1alpha1",
        "kind": "OpenClawInstance",
        "metadata": {"name": "ada", "namespace": "agents", "managedFields": [manager]},
        "spec": spec,
    }))
    .unwrap();
    assert_eq!(unknown, [], "a field that this API does not have");
    let (objects, problems) =
        render_instance(&instance, &Observed::default(), &Settings::default());
    let graver: Vec<_> = problems
        .into_iter()
        .filter(|it| it.severity != Severity::Advice || it.rule == Rule::Unsupported)
        .collect();
    assert_eq!(graver, []);
    assert!(!objects.is_empty());
}

#[test]
fn names_scope_columns_and_subresources_are_those_of_the_go_operator() {
    for (theirs, ours) in pairs() {
        for name in ["kind", "plural", "singular", "shortNames"] {
            assert_eq!(theirs["names"][name], ours["spec"]["names"][name], "{name}");
        }
        assert_eq!(theirs["scope"], ours["spec"]["scope"]);
        for (name, subresource) in theirs["subresources"].as_object().unwrap() {
            assert_eq!(version(&ours)["subresources"].get(name), Some(subresource));
        }
        let columns = version(&ours)["additionalPrinterColumns"].as_array().unwrap();
        for column in theirs["columns"].as_array().unwrap() {
            assert!(columns.contains(column), "{column}");
        }
    }
}

#[test]
fn only_the_number_of_replicas_has_a_default_and_the_root_requires_nothing() {
    let mut defaults = Vec::new();
    for fields in our_fields() {
        assert_eq!(fields[""].get("required"), None);
        for (path, field) in fields {
            defaults.extend(field.get("default").map(|default| (path, default.clone())));
        }
    }
    assert_eq!(defaults, [("spec".to_owned(), json!({})), ("spec.replicas".to_owned(), json!(1))]);
}

#[test]
fn the_schema_is_structural() {
    for fields in our_fields() {
        for (path, field) in fields {
            for keyword in ["$ref", "allOf", "oneOf", "not", "title"] {
                assert_eq!(field.get(keyword), None, "{path} {keyword}");
            }
            let free = field.contains_key("x-kubernetes-int-or-string");
            assert_eq!(field.contains_key("anyOf"), free, "{path}");
            assert_eq!(field.contains_key("type"), !free, "{path}");
            let choices = field.get("enum").and_then(Value::as_array);
            assert!(choices.is_none_or(|all| all.iter().all(Value::is_string)), "{path}");
        }
    }
}

/// The fields that have a description of ours, by path; items of lists and maps are described by
/// the field that holds them.
fn described() -> Vec<(String, Map<String, Value>)> {
    let ours = |path: &str| {
        !EMBEDDED.iter().any(|embedded| path.starts_with(embedded)) && !path.ends_with([']', '}'])
    };
    let fields = our_fields().into_iter().flatten();
    fields.filter(|(path, _)| ours(path) && path != "metadata").collect()
}

fn description(field: &Map<String, Value>) -> &str {
    field.get("description").and_then(Value::as_str).unwrap_or_default()
}

/// Of each description what the check finds wrong with it.
fn complaints(check: impl Fn(&str, &Map<String, Value>, &str) -> Option<String>) -> Vec<String> {
    let complain = |(path, field): (String, Map<String, Value>)| {
        let text = description(&field);
        check(&path, &field, text).map(|complaint| format!("{path} {complaint}: {text:?}"))
    };
    described().into_iter().filter_map(complain).collect()
}

#[test]
fn every_field_of_ours_is_described_and_no_embedded_one_is() {
    for fields in our_fields() {
        for (path, field) in fields {
            let description = description(&field);
            if EMBEDDED.iter().any(|embedded| path.starts_with(embedded)) {
                assert_eq!(description, "", "{path}");
            } else if path != "metadata" && !path.ends_with([']', '}']) {
                assert!(description.trim().ends_with(['.', '`']), "{path}: {description:?}");
            }
        }
    }
}

#[test]
fn descriptions_say_more_than_the_name_and_begin_with_a_short_sentence() {
    let found = complaints(|_, _, text| {
        let first = text.split_once(". ").map_or(text, |(first, _)| first);
        let words = first.split_whitespace().count();
        if text.len() < SHORTEST {
            Some("says too little".to_owned())
        } else if HOLLOW.iter().any(|hollow| text.starts_with(hollow)) {
            Some("says only that it is there".to_owned())
        } else {
            (words > MOST_WORDS).then(|| format!("begins with {words} words"))
        }
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_value_of_a_spec_says_its_default_or_that_it_has_none() {
    let found = complaints(|path, field, text| {
        let is_section = field.contains_key("properties");
        let says = ["efault", "Required"].iter().any(|word| text.contains(word));
        (path.starts_with("spec.") && !is_section && !says).then(|| "has which default".to_owned())
    });
    assert!(found.is_empty(), "{found:#?}");
}

/// What an instance that asks for nothing gets, in the words of the descriptions.
fn rendered_defaults() -> Vec<(String, String)> {
    let (instance, _) = decode_instance(json!({"metadata": {"name": "ada"}})).unwrap();
    let (objects, _) = render_instance(&instance, &Observed::default(), &Settings::default());
    let find = |kind| objects.iter().find(|object| object.key().kind == kind).unwrap().to_value();
    let pod = find(Kind::StatefulSet)["spec"]["template"]["spec"].clone();
    let container = |name: &str| {
        let lists = [&pod["containers"], &pod["initContainers"]];
        let mut all = lists.into_iter().flat_map(|list| list.as_array().unwrap());
        all.find(|container| container["name"] == name).unwrap()
    };
    let claim = &find(Kind::PersistentVolumeClaim)["spec"]["resources"]["requests"]["storage"];
    let user = &pod["securityContext"]["runAsUser"];
    let proxy = &container("gateway-proxy")["image"];
    let mut defaults = vec![
        ("spec.gateway.image".to_owned(), format!("Defaults to `{proxy}`")),
        ("spec.security.podSecurityContext.runAsUser".to_owned(), format!("Defaults to {user}")),
        ("spec.storage.persistence.size".to_owned(), format!("Defaults to `{claim}`")),
    ];
    for (path, name) in [
        ("spec.config.sync.resources", "config-sync"),
        ("spec.gateway.resources", "gateway-proxy"),
        ("spec.resources", "openclaw"),
    ] {
        let [requests, limits] = ["requests", "limits"].map(|kind| {
            let amounts = &container(name)["resources"][kind];
            format!("{} and {}", amounts["cpu"], amounts["memory"])
        });
        let words = format!("Defaults to requests of {requests}, and limits of {limits}");
        defaults.push((path.to_owned(), words));
    }
    for name in ["liveness", "readiness", "startup"] {
        let probe = &container("openclaw")[format!("{name}Probe")];
        let words = format!(
            "Defaults to the first probe after {} s, one every {} s, {} s to answer, and {} failures",
            probe["initialDelaySeconds"],
            probe["periodSeconds"],
            probe["timeoutSeconds"],
            probe["failureThreshold"],
        );
        defaults.push((format!("spec.probes.{name}"), words));
    }
    defaults
}

#[test]
fn defaults_in_descriptions_are_those_that_are_rendered() {
    let fields: BTreeMap<_, _> = described().into_iter().collect();
    for (path, words) in rendered_defaults() {
        let (text, words) = (description(&fields[&path]), words.replace('"', ""));
        assert!(text.contains(&words), "{path} does not say {words:?}: {text:?}");
    }
}

#[test]
fn choices_are_described_by_their_field_and_not_by_their_type() {
    let found = complaints(|_, field, text| {
        let choices = field.get("enum").and_then(Value::as_array).into_iter().flatten();
        let mut named = choices.filter_map(Value::as_str).filter(|choice| !choice.is_empty());
        named
            .find(|choice| !text.contains(&format!("`{choice}`")))
            .map(|choice| format!("does not explain {choice}"))
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn rules_walk_only_what_is_bounded() {
    for fields in our_fields() {
        for (path, field) in fields {
            let rules = field.get(RULES).and_then(Value::as_array);
            let walks = rules
                .into_iter()
                .flatten()
                .any(|rule| rule["rule"].as_str().is_some_and(|rule| rule.contains("self.all(")));
            let bounded = field.contains_key("maxItems") || field.contains_key("maxProperties");
            assert!(!walks || bounded, "{path}");
        }
    }
}

#[test]
fn definitions_fit_into_the_annotation_of_client_side_apply() {
    for definition in custom_resource_definitions() {
        let bytes = serde_json::to_vec(&definition).unwrap().len();
        assert!(bytes < MAX_BYTES, "{} has {bytes} bytes", definition["metadata"]["name"]);
    }
}

#[test]
fn definitions_are_sorted_and_always_the_same() {
    let definitions = custom_resource_definitions();
    let names: Vec<_> =
        definitions.iter().map(|each| each["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["openclawclusterdefaults.openclaw.rocks", "openclawinstances.openclaw.rocks"]
    );
    for definition in &definitions {
        assert_eq!(definition["metadata"].as_object().unwrap().len(), 1);
        assert_eq!(definition.get("status"), None);
    }
    let text = |definitions: &[Value]| serde_json::to_string(definitions).unwrap();
    assert_eq!(text(&definitions), text(&custom_resource_definitions()));
}
