//! Where a field belongs that the API does not have in that place.

use std::sync::LazyLock;

use serde_json::Value;
use strsim::levenshtein;

use super::custom_resource_definitions;

/// They never change, take long to make, and a manifest may have thousands of fields to look up.
static DEFINITIONS: LazyLock<Vec<Value>> = LazyLock::new(custom_resource_definitions);

/// Edits between two names that still look like one of them mistyped.
const MAX_EDITS: usize = 2;
/// Length from which a name that begins another one is probably meant by it.
const TELLING: usize = 5;
/// Places that are worth naming.
const MAX_PLACES: usize = 2;

/// Fields that people write whose place nobody would find by the name.
const KNOWN: [(&str, &str); 6] = [
    ("spec.config.secretRef", "spec.config.configMapRef"),
    ("spec.gateway.tokenSecretRef", "spec.gateway.existingSecret"),
    ("spec.healthCheck", "spec.probes"),
    ("spec.ingress", "spec.networking.ingress"),
    ("spec.metrics", "spec.observability.metrics"),
    ("spec.security.runAsRoot", "spec.security.podSecurityContext"),
];

/// Returns the schema of a kind.
pub(crate) fn schema(kind: &str) -> Option<&'static Value> {
    let named = |definition: &&Value| {
        definition.pointer("/spec/names/kind").and_then(Value::as_str) == Some(kind)
    };
    let definition = DEFINITIONS.iter().find(named)?;
    definition.pointer("/spec/versions/0/schema/openAPIV3Schema")
}

/// Returns what to do about a field that an object of a kind does not have.
pub(crate) fn remedy(kind: &str, path: &str) -> String {
    find(kind, path).unwrap_or_else(|| "correct the spelling or remove it".to_owned())
}

/// Returns where a field that an object of a kind does not have probably belongs.
#[must_use]
pub fn find(kind: &str, path: &str) -> Option<String> {
    let schema = schema(kind)?;
    if let Some((_, place)) = KNOWN.iter().find(|(known, _)| *known == path)
        && beneath(schema, place).is_some()
    {
        return Some(format!("it belongs at `{place}`"));
    }
    let (holder, name) = match path.rsplit_once('.') {
        Some((holder, name)) => (beneath(schema, holder), name),
        None => (Some(schema), path),
    };
    let inside = holder.and_then(|holder| inside(holder, name));
    let meant = inside.or_else(|| holder.and_then(|holder| alike(holder, name)).map(str::to_owned));
    if let Some(meant) = meant {
        return Some(format!("`{meant}` is probably meant"));
    }
    let mut places = Vec::new();
    // At the root stand what every object has and the status.
    let spec = schema.pointer("/properties/spec")?;
    collect(spec, "spec", name, &mut places);
    places.sort_by_key(|place| place.matches('.').count());
    // What is further in is meant before what is elsewhere.
    let around = path.strip_suffix(name).unwrap_or_default();
    if let [place] = places.iter().filter(|it| it.starts_with(around)).collect::<Vec<_>>()[..] {
        return Some(format!("it belongs at `{place}`"));
    }
    if places.is_empty() || places.len() > MAX_PLACES {
        return None;
    }
    let places: Vec<String> = places.iter().map(|place| format!("`{place}`")).collect();
    Some(format!("it belongs at {}", places.join(" or ")))
}

/// Returns the schema of what stands at a path, through lists.
#[must_use]
pub fn beneath<'a>(schema: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(schema, |schema, step| {
        let (name, positions) = step
            .split_once('[')
            .map_or((step, 0), |(name, rest)| (name, 1 + rest.matches('[').count()));
        // As in `kubectl explain`, the members of a list need no brackets.
        let holder = schema.get("items").unwrap_or(schema);
        let field = holder.get("properties")?.get(name)?;
        (0..positions).try_fold(field, |list, _| list.get("items"))
    })
}

/// Returns the field of one beside it with which that makes up the name: `image.pullSecrets` of
/// `imagePullSecrets`.
fn inside(holder: &Value, name: &str) -> Option<String> {
    let fields = holder.get("properties")?.as_object()?;
    fields.iter().find_map(|(field, schema)| {
        let mut rest = name.strip_prefix(field.as_str())?.chars();
        let first = rest.next().filter(char::is_ascii_uppercase)?;
        let rest = format!("{}{}", first.to_ascii_lowercase(), rest.as_str());
        schema.get("properties")?.get(&rest)?;
        Some(format!("{field}.{rest}"))
    })
}

/// Returns the field beside it that is written nearly so.
fn alike<'a>(holder: &'a Value, name: &str) -> Option<&'a str> {
    let fields = holder.get("properties")?.as_object()?;
    let near = |field: &&String| {
        let (longer, shorter) =
            if field.len() < name.len() { (name, field.as_str()) } else { (field.as_str(), name) };
        field.eq_ignore_ascii_case(name)
            || (shorter.len() >= TELLING && longer.starts_with(shorter))
            || (shorter.len() >= TELLING && levenshtein(field, name) <= MAX_EDITS)
    };
    fields.keys().filter(near).min_by_key(|field| levenshtein(field, name)).map(String::as_str)
}

/// Collects the places of a field of that name. Members of lists are left out: what has no list
/// around it is not meant to be in one.
fn collect(schema: &Value, path: &str, name: &str, places: &mut Vec<String>) {
    let fields = schema.get("properties").and_then(Value::as_object);
    for (field, schema) in fields.into_iter().flatten() {
        let path = format!("{path}.{field}");
        if field == name {
            places.push(path.clone());
        }
        collect(schema, &path, name, places);
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, beneath, remedy, schema};

    #[test]
    fn a_field_in_the_wrong_place_is_told_its_own() {
        for (path, said) in [
            ("spec.nodeSelector", "it belongs at `spec.availability.nodeSelector`"),
            ("nodeSelector", "it belongs at `spec.availability.nodeSelector`"),
            ("spec.storage.persistence.storageClassName", "`storageClass` is probably meant"),
            ("spec.storage.persistance", "`persistence` is probably meant"),
            ("spec.imagePullSecrets", "`image.pullSecrets` is probably meant"),
            ("spec.sidecars[0].volumeMount", "`volumeMounts` is probably meant"),
            ("spec.storage.storageClass", "it belongs at `spec.storage.persistence.storageClass`"),
            ("spec.storageClass", "`storage` is probably meant"),
            ("spec.gateway.tokenSecretRef", "it belongs at `spec.gateway.existingSecret`"),
            ("spec.config.secretRef", "it belongs at `spec.config.configMapRef`"),
            ("spec.envFromSecrets", "`envFrom` is probably meant"),
            ("spec.healthCheck", "it belongs at `spec.probes`"),
            ("spec.colour", "correct the spelling or remove it"),
            ("metadata.colour", "correct the spelling or remove it"),
            ("spec.a[0][1].b", "correct the spelling or remove it"),
        ] {
            assert_eq!(remedy("OpenClawInstance", path), said, "{path}");
        }
        let schema = schema("OpenClawInstance").expect("a schema");
        for (_, place) in KNOWN {
            assert!(beneath(schema, place).is_some(), "{place}");
        }
        assert_eq!(remedy("Pod", "spec.colour"), "correct the spelling or remove it");
    }
}
