//! [`write`]: an object's canonical JSON straight from its type, without a tree of values between.
//!
//! It does in one walk what [`canonicalise`](super::canonicalise) does with a tree: a field is taken
//! back when the server would forget what was just written of it, and what the server adds is added
//! where a map ends.

use serde::Serialize;
use serde::ser::Error as _;
use serde_json::Error;

use super::{Blank, FREE_MAPS, is_amount, is_amounts, is_built_in, is_dropped};
use crate::quantity::{self, Quantity};

/// Returns an object of a kind as compact JSON with sorted keys, as the API server stores it, and
/// says what it is where its type does not.
///
/// # Errors
/// A type that is written in a way which no object of Kubernetes is.
pub(crate) fn write(
    api_version: &'static str,
    kind: &'static str,
    object: &impl Serialize,
) -> Result<String, Error> {
    let manner = if is_built_in(kind) { Manner::Root } else { Manner::ForeignRoot };
    let mut sheet =
        Sheet { api_version, kind, text: Vec::with_capacity(2048), entries: Vec::new() };
    object.serialize(Writer { sheet: &mut sheet, parent: "", name: "", manner })?;
    String::from_utf8(sheet.text).map_err(Error::custom)
}

/// Returns a part of an object of a built-in kind, found under `name` in `parent`, in the same way.
///
/// # Errors
/// See [`write`].
pub(crate) fn write_part(parent: &str, name: &str, part: &impl Serialize) -> Result<String, Error> {
    let text = Vec::with_capacity(2048);
    let mut sheet = Sheet { api_version: "", kind: "", text, entries: Vec::new() };
    part.serialize(Writer { sheet: &mut sheet, parent, name, manner: Manner::Fields })?;
    String::from_utf8(sheet.text).map_err(Error::custom)
}

/// What a Role's reference and who is no account get.
const GROUP: &[(&str, &str)] = &[("apiGroup", r#""rbac.authorization.k8s.io""#)];

/// What is written, and of which kind.
pub(super) struct Sheet {
    api_version: &'static str,
    kind: &'static str,
    pub(super) text: Vec<u8>,
    /// Of all maps that are open, the innermost last.
    entries: Vec<Entry>,
}

/// Where an entry of a map stands in the text: `"key":value`.
struct Entry {
    key: usize,
    colon: usize,
    end: usize,
}

impl Sheet {
    fn part(&self, from: usize, to: usize) -> &[u8] {
        self.text.get(from..to).unwrap_or_default()
    }

    fn since(&self, from: usize) -> &[u8] {
        self.text.get(from..).unwrap_or_default()
    }

    pub(super) fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        serde_json::to_writer(&mut self.text, value)
    }
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// The object itself, of a kind whose fields we know.
    Root,
    /// The object itself, of another project's kind: only its metadata is looked into.
    ForeignRoot,
    /// Something whose fields we know.
    Fields,
    /// An amount of a resource.
    Amount,
    /// The user's.
    AsIs,
}

/// Writes one value. `parent` and `name` are the fields that lead to it.
pub(super) struct Writer<'a> {
    pub(super) sheet: &'a mut Sheet,
    parent: &'a str,
    name: &'a str,
    manner: Manner,
}

impl<'a> Writer<'a> {
    pub(super) fn text(self, text: &str) -> Result<(), Error> {
        match self.amount(text) {
            Some(amount) => self.sheet.json(&amount),
            None => self.sheet.json(text),
        }
    }

    pub(super) fn number(self, number: impl Serialize) -> Result<(), Error> {
        let start = self.sheet.text.len();
        self.sheet.json(&number)?;
        let written = std::str::from_utf8(self.sheet.since(start)).unwrap_or_default();
        if let Some(amount) = self.amount(written) {
            self.sheet.text.truncate(start);
            self.sheet.json(&amount)?;
        }
        Ok(())
    }

    /// Returns the canonical form of what is an amount.
    fn amount(&self, text: &str) -> Option<String> {
        let round = match self.manner {
            Manner::Amount => Quantity::rounded_up_to_milli,
            Manner::Root | Manner::Fields if is_amount(self.parent, self.name) => {
                std::convert::identity
            }
            Manner::Root | Manner::Fields | Manner::ForeignRoot | Manner::AsIs => return None,
        };
        Some(round(quantity::parse(text).ok()?).to_string())
    }

    pub(super) fn map(self) -> Map<'a> {
        let inside = match self.manner {
            Manner::AsIs | Manner::Amount => Inside::AsIs,
            Manner::ForeignRoot => Inside::ForeignRoot,
            Manner::Root | Manner::Fields if is_amounts(self.parent, self.name) => Inside::Amounts,
            Manner::Root | Manner::Fields if FREE_MAPS.contains(&self.name) => Inside::Free,
            Manner::Root | Manner::Fields => Inside::Fields,
        };
        let (start, base) = (self.sheet.text.len(), self.sheet.entries.len());
        self.sheet.text.push(b'{');
        let is_root = matches!(self.manner, Manner::Root | Manner::ForeignRoot);
        let (key, quoted) = (String::new(), Vec::new());
        let Self { sheet, parent, name, manner: _ } = self;
        Map { sheet, parent, name, inside, is_root, start, base, is_sorted: true, key, quoted }
    }

    pub(super) fn list(self) -> List<'a> {
        let manner = match self.manner {
            Manner::Root | Manner::Fields => Manner::Fields,
            Manner::ForeignRoot | Manner::Amount | Manner::AsIs => Manner::AsIs,
        };
        self.sheet.text.push(b'[');
        let Self { sheet, parent, name, .. } = self;
        List { start: sheet.text.len(), sheet, parent, name, manner }
    }
}

/// What is in a map.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    /// Fields that we know.
    Fields,
    /// Another project's, and metadata.
    ForeignRoot,
    /// Names of resources and amounts.
    Amounts,
    /// Names and texts of the user's.
    Free,
    AsIs,
}

/// A map that is open.
pub(super) struct Map<'a> {
    sheet: &'a mut Sheet,
    parent: &'a str,
    name: &'a str,
    inside: Inside,
    is_root: bool,
    /// Where its text begins.
    start: usize,
    /// Where its entries begin.
    base: usize,
    is_sorted: bool,
    /// The next entry's key, and the same as JSON.
    pub(super) key: String,
    pub(super) quoted: Vec<u8>,
}

impl Map<'_> {
    pub(super) fn entry(
        &mut self,
        name: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), Error> {
        let before = self.sheet.text.len();
        if before > self.start + 1 {
            self.sheet.text.push(b',');
        }
        let key = self.sheet.text.len();
        self.sheet.json(name)?;
        let colon = self.sheet.text.len();
        self.sheet.text.push(b':');
        let manner = match self.inside {
            Inside::Fields => Manner::Fields,
            Inside::ForeignRoot if name == "metadata" => Manner::Fields,
            Inside::Amounts => Manner::Amount,
            Inside::ForeignRoot | Inside::Free | Inside::AsIs => Manner::AsIs,
        };
        value.serialize(Writer { sheet: self.sheet, parent: self.name, name, manner })?;
        let blank = Blank::of_json(self.sheet.since(colon + 1));
        if blank.is_some_and(|blank| self.forgets(name, blank)) {
            self.sheet.text.truncate(before);
            return Ok(());
        }
        if let Some(last) = self.entries().last() {
            let (last, this) = (self.sheet.part(last.key, last.colon), self.sheet.part(key, colon));
            // The order of keys with escapes is not that of what is written.
            let is_plain = !last.contains(&b'\\') && !this.contains(&b'\\');
            self.is_sorted &= is_plain && unquoted(last) < unquoted(this);
        }
        let end = self.sheet.text.len();
        self.sheet.entries.push(Entry { key, colon, end });
        Ok(())
    }

    fn entries(&self) -> &[Entry] {
        self.sheet.entries.get(self.base..).unwrap_or_default()
    }

    /// Whether a field with such a value is left out, or is added where the map ends.
    fn forgets(&self, field: &str, value: Blank) -> bool {
        match self.inside {
            Inside::AsIs | Inside::ForeignRoot => false,
            Inside::Amounts | Inside::Free => matches!(value, Blank::Null),
            Inside::Fields => {
                is_dropped(self.parent, self.name, field, value)
                    || matches!(value, Blank::Text) && self.may_add(field)
                    || matches!(value, Blank::Map)
                        && (self.sheet.kind, self.parent, self.name) == ("Service", "", "spec")
                        && field == "selector"
            }
        }
    }

    fn may_add(&self, field: &str) -> bool {
        let is_subject =
            (self.sheet.kind, self.parent, self.name) == ("RoleBinding", "", "subjects");
        is_subject && field == "apiGroup" || self.defaults().iter().any(|(key, _)| *key == field)
    }

    /// What the server adds to a map of fields that we know, as JSON.
    fn defaults(&self) -> &'static [(&'static str, &'static str)] {
        match (self.parent, self.name) {
            (_, "fieldRef") => &[("apiVersion", r#""v1""#)],
            (_, "resourceFieldRef") => &[("divisor", r#""0""#)],
            (_, "ports") => &[("protocol", r#""TCP""#)],
            ("sources", "serviceAccountToken") => &[("expirationSeconds", "3600")],
            (_, "volumeClaimTemplates") => &[
                ("apiVersion", r#""v1""#),
                ("kind", r#""PersistentVolumeClaim""#),
                ("status", r#"{"phase":"Pending"}"#),
            ],
            ("volumeClaimTemplates", "spec") => &[("volumeMode", r#""Filesystem""#)],
            ("volumeClaimTemplates", "status") => &[("phase", r#""Pending""#)],
            ("", "roleRef") if self.sheet.kind == "RoleBinding" => GROUP,
            ("", "subjects") if self.sheet.kind == "RoleBinding" && !self.is_account() => GROUP,
            _ => &[],
        }
    }

    fn is_account(&self) -> bool {
        self.find("kind").is_some_and(|entry| {
            self.sheet.part(entry.colon + 1, entry.end) == br#""ServiceAccount""#
        })
    }

    /// Finds an entry by a key without escapes.
    fn find(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| {
            let written = self.sheet.part(entry.key + 1, entry.colon.saturating_sub(1));
            written == key.as_bytes()
        })
    }

    pub(super) fn close(mut self) -> Result<(), Error> {
        let mut missing: Vec<(&str, String)> = Vec::new();
        if self.inside == Inside::Fields {
            let defaults = self.defaults().iter().filter(|(key, _)| self.find(key).is_none());
            missing.extend(defaults.map(|(key, value)| (*key, (*value).to_owned())));
        }
        if self.is_root {
            let Sheet { api_version, kind, .. } = &self.sheet;
            let identity = [("apiVersion", api_version), ("kind", kind)];
            let identity = identity.into_iter().filter(|(key, _)| self.find(key).is_none());
            missing.extend(identity.map(|(key, value)| (key, format!("\"{value}\""))));
        }
        if !self.is_sorted || !missing.is_empty() {
            self.rewrite(missing)?;
        }
        self.sheet.entries.truncate(self.base);
        self.sheet.text.push(b'}');
        Ok(())
    }

    /// Writes all entries once more, with others between, in the order of their keys.
    fn rewrite(&mut self, missing: Vec<(&str, String)>) -> Result<(), Error> {
        let mut all: Vec<(String, Vec<u8>)> = Vec::new();
        for entry in self.entries() {
            let key = serde_json::from_slice(self.sheet.part(entry.key, entry.colon))?;
            all.push((key, self.sheet.part(entry.key, entry.end).to_vec()));
        }
        for (key, value) in missing {
            all.push((key.to_owned(), format!("\"{key}\":{value}").into_bytes()));
        }
        all.sort();
        self.sheet.text.truncate(self.start + 1);
        for (index, (_, entry)) in all.iter().enumerate() {
            if index > 0 {
                self.sheet.text.push(b',');
            }
            self.sheet.text.extend_from_slice(entry);
        }
        Ok(())
    }
}

pub(super) fn unquoted(key: &[u8]) -> &[u8] {
    key.get(1..key.len().saturating_sub(1)).unwrap_or_default()
}

/// A list that is open. Its items bear its name.
pub(super) struct List<'a> {
    sheet: &'a mut Sheet,
    parent: &'a str,
    name: &'a str,
    manner: Manner,
    start: usize,
}

impl List<'_> {
    pub(super) fn item(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        if self.sheet.text.len() > self.start {
            self.sheet.text.push(b',');
        }
        let Self { parent, name, manner, .. } = *self;
        value.serialize(Writer { sheet: self.sheet, parent, name, manner })
    }

    pub(super) fn close(self) {
        self.sheet.text.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::write;
    use crate::canonical::canonicalise;

    /// What a tree comes to.
    fn from_tree(kind: &str, object: &Value) -> String {
        let mut tree = object.clone();
        for (field, text) in [("apiVersion", "v1"), ("kind", kind)] {
            let fields = tree.as_object_mut().unwrap();
            fields.entry(field).or_insert_with(|| text.into());
        }
        canonicalise(&mut tree);
        tree.to_string()
    }

    fn assert_same(kind: &'static str, object: &Value) {
        assert_eq!(write("v1", kind, object).unwrap(), from_tree(kind, object));
    }

    #[test]
    fn what_the_server_adds_and_forgets_is_added_and_forgotten() {
        assert_same(
            "StatefulSet",
            &json!({ "spec": {
            "volumeClaimTemplates": [{ "metadata": { "name": "data", "creationTimestamp": null },
                "spec": { "resources": { "requests": { "storage": "10240Mi" } } } },
                { "spec": { "volumeMode": "Block" }, "status": {} }],
            "template": { "spec": { "containers": [{ "ports": [{ "containerPort": 1, "targetPort": 2 }],
                "env": [{ "name": "\"quoted\\\"", "value": "", "valueFrom": { "fieldRef": {} } }],
                "resources": { "limits": { "cpu": 0.5, "b\"": "1024Mi", "a\n": null } } }],
                "volumes": [{ "projected": { "sources": [{ "serviceAccountToken": {} }] } }] } } } }),
        );
        let subjects = json!([{ "kind": "ServiceAccount", "apiGroup": "" }, { "kind": "User" }]);
        assert_same("RoleBinding", &json!({ "roleRef": { "kind": "Role" }, "subjects": subjects }));
        assert_same("Service", &json!({ "spec": { "selector": {}, "clusterIP": "" } }));
        let foreign = json!({ "metadata": { "labels": { "a": null } }, "spec": { "tty": false } });
        assert_same("ServiceMonitor", &foreign);
    }

    /// Fields with rules of their own, and some without.
    const FIELDS: &[&str] = &[
        "a",
        "a\"b",
        "averageValue",
        "csi",
        "data",
        "divisorOf",
        "env",
        "hostPort",
        "httpGet",
        "key",
        "labels",
        "limits",
        "livenessProbe",
        "metadata",
        "name",
        "operator",
        "overhead",
        "path",
        "periodSeconds",
        "ports",
        "readOnly",
        "requests",
        "resourceFieldRef",
        "resources",
        "secretName",
        "sizeLimit",
        "template",
        "target",
        "tls",
        "tolerations",
        "tty",
        "type",
        "updateStrategy",
        "value",
        "volumeClaimTemplates",
        "workingDir",
        "ä",
    ];

    fn scalar() -> impl Strategy<Value = Value> {
        prop::sample::select(vec![
            json!(null),
            json!(""),
            json!("x"),
            json!("1024Mi"),
            json!("0.5"),
            json!(false),
            json!(true),
            json!(0),
            json!(1),
            json!(-7),
            json!(0.5),
            json!(u64::MAX),
            json!("\n\"ß"),
        ])
    }

    fn tree() -> impl Strategy<Value = Value> {
        scalar().prop_recursive(6, 60, 6, |inner| {
            let fields = prop::collection::vec((prop::sample::select(FIELDS), inner.clone()), 0..6);
            let map = fields.prop_map(|fields| {
                let fields = fields.into_iter().map(|(field, value)| (field.to_owned(), value));
                Value::Object(fields.collect::<Map<_, _>>())
            });
            prop_oneof![map, prop::collection::vec(inner, 0..4).prop_map(Value::Array)]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_text_says_what_a_tree_does(spec in tree(), metadata in tree()) {
            let metadata = if metadata.is_object() { metadata } else { json!({}) };
            let object = json!({ "metadata": metadata, "spec": spec });
            for kind in ["StatefulSet", "ConfigMap", "ServiceMonitor"] {
                prop_assert_eq!(write("v1", kind, &object).unwrap(), from_tree(kind, &object));
            }
        }
    }
}
