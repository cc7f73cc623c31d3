//! The custom resource definitions against those of the Go operator, version 0.38.3.
//!
//! What is accepted there must be accepted here. `DIFFERENCES` names every place where a schema is
//! another on purpose, and why; an entry that no longer applies fails the test, too.

use std::collections::{BTreeMap, BTreeSet};

use openclaw_render::api::custom_resource_definitions;
use serde_json::{Map, Value};

const REFERENCES: [(&str, &str); 2] = [
    ("OpenClawClusterDefaults", include_str!("data/crds/openclawclusterdefaults.json")),
    ("OpenClawInstance", include_str!("data/crds/openclawinstances.json")),
];

/// Client-side apply stores the definition in an annotation of at most 262 144 bytes.
const LARGEST_DEFINITION: usize = 230_000;

/// Where, what, and why. `*` stands for the beginning of a path.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("*.cpu", "type", QUANTITIES),
    ("*.cpu", "pattern", QUANTITIES),
    ("*.cpu", "maxLength", QUANTITIES),
    ("*.memory", "type", QUANTITIES),
    ("*.memory", "pattern", QUANTITIES),
    ("*.memory", "maxLength", QUANTITIES),
    ("*.persistence.size", "type", QUANTITIES),
    ("*.persistence.size", "pattern", QUANTITIES),
    ("*.persistence.size", "maxLength", QUANTITIES),
    (".spec.ollama.storage.sizeLimit", "type", QUANTITIES),
    (".spec.ollama.storage.sizeLimit", "pattern", QUANTITIES),
    (".spec.ollama.storage.sizeLimit", "maxLength", QUANTITIES),
    (".spec.probes.diskReadiness.minFree", "type", QUANTITIES),
    (".spec.probes.diskReadiness.minFree", "pattern", QUANTITIES),
    (".spec.probes.diskReadiness.minFree", "maxLength", QUANTITIES),
    ("*.image.digest", "pattern", "another text is no digest, and no node can pull it"),
    ("*.image.digest", "maxLength", "the length of a SHA-256 digest"),
    ("", "rules", "other names cannot name a Service or StatefulSet, or have no effect"),
    (".spec", "rules", "suspension sets no replicas, autoscaling some"),
    (".spec.availability.autoScaling", "rules", "the API server refuses such an autoscaler"),
    (
        ".spec.availability.podDisruptionBudget.maxUnavailable",
        "minimum",
        "the API server refuses a budget below zero",
    ),
    (".spec.config", "rules", "forced paths without a merge were ignored in silence"),
    (".spec.config.forcePaths[]", "pattern", "other paths were ignored in silence"),
    (".spec.config.forcePaths[]", "maxLength", "bounds the work of the pattern"),
    (".spec.extraVolumeMounts", "listType", UNIQUE),
    (".spec.extraVolumes", "listType", UNIQUE),
    (".spec.initContainers", "listType", UNIQUE),
    (".spec.sidecarVolumes", "listType", UNIQUE),
    (".spec.sidecars", "listType", UNIQUE),
    (".spec.networking.service.ports", "listType", UNIQUE_PORTS),
    (".spec.networking.service.ports", "rules", UNIQUE_PORTS),
    (".spec.probes.liveness.initialDelaySeconds", "minimum", PROBES),
    (".spec.probes.liveness.periodSeconds", "minimum", PROBES),
    (".spec.probes.liveness.timeoutSeconds", "minimum", PROBES),
    (".spec.probes.liveness.failureThreshold", "minimum", PROBES),
    (".spec.probes.readiness.initialDelaySeconds", "minimum", PROBES),
    (".spec.probes.readiness.periodSeconds", "minimum", PROBES),
    (".spec.probes.readiness.timeoutSeconds", "minimum", PROBES),
    (".spec.probes.readiness.failureThreshold", "minimum", PROBES),
    (".spec.probes.startup.initialDelaySeconds", "minimum", PROBES),
    (".spec.probes.startup.periodSeconds", "minimum", PROBES),
    (".spec.probes.startup.timeoutSeconds", "minimum", PROBES),
    (".spec.probes.startup.failureThreshold", "minimum", PROBES),
    (".spec.security.podSecurityContext.runAsUser", "minimum", ROOT),
    (".spec.security.containerSecurityContext.runAsUser", "minimum", ROOT),
    (".spec.security.caBundle", "rules", "with both or neither no bundle can be mounted"),
    (".spec.security.rbac", "rules", "a pod whose account does not exist is never made"),
    (".spec.security.networkPolicy.allowedIngressCIDRs[]", "minLength", CIDRS),
    (".spec.security.networkPolicy.allowedIngressCIDRs[]", "maxLength", CIDRS),
    (".spec.security.networkPolicy.allowedIngressCIDRs[]", "pattern", CIDRS),
    (".spec.security.networkPolicy.allowedEgressCIDRs[]", "minLength", CIDRS),
    (".spec.security.networkPolicy.allowedEgressCIDRs[]", "maxLength", CIDRS),
    (".spec.security.networkPolicy.allowedEgressCIDRs[]", "pattern", CIDRS),
    (".spec.storage.persistence", "rules", "the class of a claim cannot be changed"),
    ("*.initialFiles", "rules", "such files escaped the workspace or were lost"),
    ("*.initialDirectories", "rules", "such directories escaped the workspace"),
    ("*.initialDirectories[]", "minLength", "an empty path names no directory"),
    ("*.initialDirectories[]", "maxLength", "a longer path was refused; bounds the rule"),
    (
        ".spec.workspace.additionalWorkspaces",
        "listType",
        "two workspaces of one name were one directory",
    ),
    (".status.conditions", "listType", "only the operator writes it; it keeps one of each type"),
];

const QUANTITIES: &str =
    "numbers are accepted as well; what is no quantity was replaced in silence";
const UNIQUE: &str = "a pod with two of one name is refused; several writers can each own an item";
const UNIQUE_PORTS: &str = "the API server refuses a Service with two ports of one name or number";
const PROBES: &str = "the API server refuses a pod with a negative number in a probe";
const ROOT: &str = "root was documented as refused, and the kubelet refuses it";
const CIDRS: &str = "the API server refuses a NetworkPolicy with anything but an address range";

/// Fields of ours that the Go operator does not have.
const OUR_FIELDS: &[&str] = &[
    ".spec.config.sync",
    ".spec.gateway.proxy",
    ".spec.image.version",
    ".spec.maintenanceWindows",
    ".spec.networking.metricsIngress",
    ".spec.observability.metrics.collector",
    ".spec.rollout",
    ".spec.runtimeDeps.image",
    ".spec.runtimeDeps.resources",
    ".spec.security.networkPolicy.allowHTTPS",
    ".spec.security.networkPolicy.allowSameNamespaceIngress",
    ".spec.selfConfigure.allowedSkillSources",
    ".status.config",
];

/// Every schema node by its path: `.field`, `[]` for items, `{}` for values of a map.
type Nodes = BTreeMap<String, Map<String, Value>>;

fn nodes(schema: &Value) -> Nodes {
    fn visit(path: &str, schema: &Value, nodes: &mut Nodes) {
        let node = schema.as_object().unwrap_or_else(|| panic!("{path}: a schema is an object"));
        nodes.insert(path.to_owned(), node.clone());
        for (name, property) in
            node.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            visit(&format!("{path}.{name}"), property, nodes);
        }
        if let Some(items) = node.get("items") {
            visit(&format!("{path}[]"), items, nodes);
        }
        if let Some(values) = node.get("additionalProperties") {
            visit(&format!("{path}{{}}"), values, nodes);
        }
    }
    let mut all = Nodes::new();
    visit("", schema, &mut all);
    all
}

fn definition(kind: &str) -> Value {
    custom_resource_definitions()
        .into_iter()
        .find(|crd| crd["spec"]["names"]["kind"] == kind)
        .unwrap_or_else(|| panic!("{kind} has a definition"))
}

fn schema_of(crd: &Value) -> &Value {
    &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
}

fn references() -> impl Iterator<Item = (&'static str, Value)> {
    REFERENCES.into_iter().map(|(kind, text)| (kind, serde_json::from_str(text).expect("JSON")))
}

fn strings(value: Option<&Value>) -> BTreeSet<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What is not the same in a way that users could notice: `(path, what)`.
fn differences(theirs: &Nodes, ours: &Nodes) -> BTreeSet<(String, &'static str)> {
    let mut found = BTreeSet::new();
    for (path, theirs) in theirs {
        let mut differs = |what, yes: bool| {
            if yes {
                found.insert((path.clone(), what));
            }
        };
        let Some(ours) = ours.get(path) else {
            differs("missing", true);
            continue;
        };
        let same = |key: &str| theirs.get(key) == ours.get(key);
        let flag = |key: &str| theirs.get(key) == Some(&true.into());
        differs("type", !same("type") || !same("format") || !same("anyOf"));
        differs("type", flag("x-kubernetes-int-or-string") && !same("x-kubernetes-int-or-string"));
        differs("nullable", !same("nullable"));
        differs("unknownFields", !same("x-kubernetes-preserve-unknown-fields"));
        differs("mapType", !same("x-kubernetes-map-type"));
        differs("listType", list_type(theirs) != list_type(ours));
        differs("listType", !same("x-kubernetes-list-map-keys"));
        differs(
            "required",
            !strings(ours.get("required")).is_subset(&strings(theirs.get("required"))),
        );
        differs("enum", narrower_enum(theirs.get("enum"), ours.get("enum")));
        differs("pattern", ours.contains_key("pattern") && !same("pattern"));
        for lower in ["minimum", "minLength", "minItems", "minProperties"] {
            differs(lower, narrower(theirs.get(lower), ours.get(lower), |a, b| b > a));
        }
        for upper in ["maximum", "maxLength", "maxItems", "maxProperties"] {
            differs(upper, narrower(theirs.get(upper), ours.get(upper), |a, b| b < a));
        }
        differs("rules", ours.contains_key("x-kubernetes-validations"));
    }
    found
}

/// A list without a type is replaced as a whole, which is what `atomic` means.
fn list_type(node: &Map<String, Value>) -> &str {
    node.get("x-kubernetes-list-type").and_then(Value::as_str).unwrap_or("atomic")
}

fn narrower_enum(theirs: Option<&Value>, ours: Option<&Value>) -> bool {
    match (theirs, ours) {
        (_, None) => false,
        (None, Some(_)) => true,
        (theirs, ours) => !strings(theirs).is_subset(&strings(ours)),
    }
}

fn narrower(theirs: Option<&Value>, ours: Option<&Value>, worse: fn(f64, f64) -> bool) -> bool {
    match (theirs.and_then(Value::as_f64), ours.and_then(Value::as_f64)) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(theirs), Some(ours)) => worse(theirs, ours),
    }
}

fn applies(entry: &str, path: &str) -> bool {
    entry.strip_prefix('*').map_or(entry == path, |end| path.ends_with(end))
}

#[test]
fn what_the_reference_accepts_is_accepted_but_for_the_listed_differences() {
    let mut used = BTreeSet::new();
    let mut unlisted = Vec::new();
    for (kind, reference) in references() {
        let found = differences(&nodes(&reference["schema"]), &nodes(schema_of(&definition(kind))));
        for (path, what) in found {
            let entry = DIFFERENCES.iter().find(|(at, of, _)| *of == what && applies(at, &path));
            match entry {
                Some((at, of, _)) => drop(used.insert((*at, *of))),
                None => unlisted.push(format!("{kind} {path}: {what}")),
            }
        }
    }
    let stale: Vec<_> =
        DIFFERENCES.iter().filter(|(at, of, _)| !used.contains(&(*at, *of))).collect();
    assert_eq!(unlisted, Vec::<String>::new(), "differences without a reason");
    assert!(stale.is_empty(), "differences that are none any more: {stale:#?}");
}

#[test]
fn fields_beyond_the_reference_are_the_listed_ones() {
    let mut used = BTreeSet::new();
    for (kind, reference) in references() {
        let theirs = nodes(&reference["schema"]);
        for path in nodes(schema_of(&definition(kind))).into_keys() {
            let parent = path.rsplit_once(['.', '[', '{']).map_or("", |(parent, _)| parent);
            // What Kubernetes itself added to its types since is not ours.
            let is_new = !theirs.contains_key(&path) && theirs.contains_key(parent);
            if is_new && !path.contains("[].") && !path.contains("volumeClaimTemplate") {
                let entry = OUR_FIELDS.iter().find(|field| **field == path);
                used.insert(*entry.unwrap_or_else(|| panic!("{kind} {path} is not listed")));
            }
        }
    }
    assert_eq!(used, OUR_FIELDS.iter().copied().collect::<BTreeSet<_>>());
}

#[test]
fn names_scope_subresources_and_columns_are_those_of_the_reference() {
    for (kind, reference) in references() {
        let crd = definition(kind);
        let version = &crd["spec"]["versions"][0];
        let mut names = reference["names"].clone();
        assert_eq!(names["listKind"], format!("{kind}List"), "the API server's own default");
        names.as_object_mut().expect("an object").remove("listKind");
        assert_eq!(crd["spec"]["names"], names);
        assert_eq!(crd["spec"]["scope"], reference["scope"]);
        assert_eq!(version["subresources"], reference["subresources"]);
        assert_eq!(version["name"], "v1alpha1");
        assert_eq!(
            crd["metadata"]["name"],
            format!("{}.openclaw.rocks", names["plural"].as_str().expect("a plural"))
        );
        let columns = version["additionalPrinterColumns"].as_array().expect("columns");
        let kept: Vec<&Value> =
            columns.iter().filter(|column| column["name"] != "Reason").collect();
        let theirs: Vec<&Value> =
            reference["columns"].as_array().expect("columns").iter().collect();
        assert_eq!(kept, theirs);
    }
}

#[test]
fn no_field_has_a_default_but_a_key_of_a_list() {
    for crd in custom_resource_definitions() {
        let all = nodes(schema_of(&crd));
        for (path, node) in &all {
            let Some(default) = node.get("default") else { continue };
            // A field that names the items of a list must be required or have a default.
            let (list, key) = path.rsplit_once("[].").unwrap_or_default();
            let keys = all.get(list).and_then(|list| list.get("x-kubernetes-list-map-keys"));
            assert!(strings(keys).contains(key) && default == "TCP", "{path}: {default}");
        }
    }
}

#[test]
fn keys_of_lists_are_required_or_have_a_default() {
    for crd in custom_resource_definitions() {
        let all = nodes(schema_of(&crd));
        for (path, node) in &all {
            let keys = strings(node.get("x-kubernetes-list-map-keys"));
            assert_eq!(list_type(node) == "map", !keys.is_empty(), "{path}");
            for key in keys {
                let item = &all[&format!("{path}[]")];
                let has_default = all[&format!("{path}[].{key}")].contains_key("default");
                assert!(strings(item.get("required")).contains(key) || has_default, "{path}.{key}");
            }
        }
    }
}

#[test]
fn schemas_are_structural() {
    for crd in custom_resource_definitions() {
        for (path, node) in nodes(schema_of(&crd)) {
            for forbidden in ["$ref", "definitions", "oneOf", "allOf", "title", "additionalItems"] {
                assert!(!node.contains_key(forbidden), "{path} has {forbidden}");
            }
            let is_either = node.get("x-kubernetes-int-or-string") == Some(&true.into());
            assert_ne!(node.contains_key("type"), is_either, "{path} has one kind of type");
            assert_eq!(node.contains_key("anyOf"), is_either, "{path}");
            if node.get("type") == Some(&"array".into()) {
                assert!(node.contains_key("items"), "{path} has items");
            }
        }
    }
}

#[test]
fn our_fields_are_described_in_sentences_and_embedded_ones_not_at_all() {
    for (kind, described_at_least) in [("OpenClawClusterDefaults", 20), ("OpenClawInstance", 300)] {
        let crd = definition(kind);
        let mut described = 0;
        // Parents before children: what stands below an undescribed field is undescribed.
        let mut silent: Vec<String> = Vec::new();
        for (path, node) in nodes(schema_of(&crd)) {
            let text = node.get("description").and_then(Value::as_str);
            match text {
                Some(text) => {
                    described += 1;
                    assert!(text.ends_with('.') && text.len() > 9, "{path}: {text:?}");
                    assert!(
                        text.starts_with(|first: char| first.is_uppercase() || first == 'o'),
                        "{path}"
                    );
                    assert!(!silent.iter().any(|above| path.starts_with(above)), "{path}");
                }
                None if path.ends_with(['.', ']', '}']) => silent.push(path),
                None => assert!(
                    is_embedded(&path) || silent.iter().any(|above| path.starts_with(above)),
                    "{path} has no description"
                ),
            }
        }
        assert!(described >= described_at_least, "{kind}: {described}");
    }
}

/// Kubernetes' own metadata, and what is below fields that hold a single Kubernetes structure.
fn is_embedded(path: &str) -> bool {
    [
        ".metadata",
        ".spec.availability.affinity.",
        ".spec.security.containerSecurityContext.capabilities.",
        ".spec.tailscale.authKeySecretRef.",
        ".spec.webTerminal.credential.secretRef.",
    ]
    .iter()
    .any(|start| path.starts_with(start))
}

#[test]
fn definitions_fit_into_the_annotation_of_client_side_apply() {
    for crd in custom_resource_definitions() {
        let size = crd.to_string().len();
        assert!(size < LARGEST_DEFINITION, "{}: {size} bytes", crd["metadata"]["name"]);
    }
}

#[test]
fn definitions_are_sorted_and_the_same_every_time() {
    let first = custom_resource_definitions();
    assert_eq!(first, custom_resource_definitions());
    let names: Vec<&str> =
        first.iter().filter_map(|crd| crd["metadata"]["name"].as_str()).collect();
    assert_eq!(
        names,
        ["openclawclusterdefaults.openclaw.rocks", "openclawinstances.openclaw.rocks"]
    );
}
