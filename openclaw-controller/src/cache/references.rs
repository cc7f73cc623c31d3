//! Secrets and ConfigMaps that specs refer to: who refers to them, and what they held.
//!
//! Watches deliver their metadata only. Content is read when a plan asks for it and kept, for
//! Secrets as hashes, until the watch says that it changed.

use std::collections::{BTreeMap, BTreeSet};

use openclaw_render::{Fact, Kind, Observed};

use crate::live::InstanceKey;

/// A Secret or ConfigMap that may be referred to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What it held.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// Hashes of a Secret's values.
    Hashes(BTreeMap<String, String>),
    /// Texts of a ConfigMap.
    Texts(BTreeMap<String, String>),
}

/// Bytes of a content that is kept. What is larger is read in every pass.
const KEPT: usize = 64 << 10;

impl Content {
    fn bytes(&self) -> usize {
        let (Self::Hashes(entries) | Self::Texts(entries)) = self;
        entries.iter().map(|(key, value)| key.len() + value.len()).sum()
    }
}

/// Number of changes seen when content was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked(u64);

#[derive(Default)]
struct Referent {
    instances: BTreeSet<InstanceKey>,
    content: Fact<Content>,
    version: u64,
    changes: u64,
}

#[derive(Default)]
pub(super) struct References {
    referents: BTreeMap<Reference, Referent>,
    by_instance: BTreeMap<InstanceKey, BTreeSet<Reference>>,
}

impl References {
    pub(super) fn fill(&self, key: &InstanceKey, observed: &mut Observed) {
        for reference in self.by_instance.get(key).into_iter().flatten() {
            let Some(referent) = self.referents.get(reference) else { continue };
            add(observed, reference, &referent.content);
        }
    }

    pub(super) fn expect_content(&mut self, key: &InstanceKey, reference: &Reference) -> Asked {
        let referent = self.referents.entry(reference.clone()).or_default();
        referent.instances.insert(key.clone());
        self.by_instance.entry(key.clone()).or_default().insert(reference.clone());
        Asked(referent.changes)
    }

    pub(super) fn store_content(
        &mut self,
        reference: &Reference,
        asked: Asked,
        content: Fact<Content>,
        at: u64,
    ) {
        if let Some(referent) = self.referents.get_mut(reference)
            && referent.changes == asked.0
        {
            let is_large = content.known().is_some_and(|content| content.bytes() > KEPT);
            referent.content = if is_large { Fact::Unknown } else { content };
            referent.version = at;
        }
    }

    pub(super) fn set(&mut self, key: &InstanceKey, references: &BTreeSet<Reference>) {
        let before = self.by_instance.remove(key).unwrap_or_default();
        for gone in before.difference(references) {
            if let Some(referent) = self.referents.get_mut(gone) {
                referent.instances.remove(key);
                if referent.instances.is_empty() {
                    self.referents.remove(gone);
                }
            }
        }
        if !references.is_empty() {
            self.by_instance.insert(key.clone(), references.clone());
        }
    }

    pub(super) fn forget(&mut self, key: &InstanceKey) {
        self.set(key, &BTreeSet::new());
    }

    pub(super) fn invalidate(
        &mut self,
        reference: &Reference,
        at: Option<u64>,
    ) -> Vec<InstanceKey> {
        let Some(referent) = self.referents.get_mut(reference) else { return Vec::new() };
        if at.is_some_and(|at| at <= referent.version) {
            return Vec::new();
        }
        referent.changes += 1;
        referent.content = Fact::Unknown;
        referent.instances.iter().cloned().collect()
    }

    pub(super) fn invalidate_unlisted(
        &mut self,
        kind: Kind,
        namespace: Option<&str>,
        listed: &BTreeSet<(String, String)>,
    ) -> Vec<InstanceKey> {
        let missing: Vec<Reference> = self
            .referents
            .iter()
            .filter(|(reference, referent)| {
                reference.kind == kind
                    && namespace.is_none_or(|namespace| namespace == reference.namespace)
                    && !listed.contains(&(reference.namespace.clone(), reference.name.clone()))
                    && referent.content != Fact::Absent
            })
            .map(|(reference, _)| reference.clone())
            .collect();
        missing.iter().flat_map(|reference| self.invalidate(reference, None)).collect()
    }
}

/// Puts content where plans look for it; what is not known stays so.
pub(crate) fn add(observed: &mut Observed, reference: &Reference, content: &Fact<Content>) {
    let name = reference.name.clone();
    match (reference.kind, content) {
        (_, Fact::Unknown) => {}
        (Kind::Secret, Fact::Absent) => {
            observed.secrets.entry(name).or_insert(Fact::Absent);
        }
        (_, Fact::Absent) => {
            observed.config_maps.entry(name).or_insert(Fact::Absent);
        }
        (_, Fact::Known(Content::Hashes(hashes))) => {
            observed.secrets.entry(name).or_insert_with(|| Fact::Known(hashes.clone()));
        }
        (_, Fact::Known(Content::Texts(texts))) => {
            observed.config_maps.insert(name, Fact::Known(texts.clone()));
        }
    }
}
