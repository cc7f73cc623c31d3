//! The shared storage of backups: in which namespaces a copy of the operator's Secret stands.
//!
//! # Guarantees
//! - A copy is made where the admin shares the storage and an agent uses it, and nowhere else.
//! - One that is not wanted any more goes; while it is unknown what an agent wants, it stays.
//! - A Secret of somebody else under its name is left alone.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::observed::Fact;
use crate::settings::Settings;
use crate::vocab::{labels, names};

/// What is known of a namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct SharingSeen {
    /// Whether an agent there uses the shared storage.
    pub wanted: Fact<()>,
    /// The operator's Secret, as a version of it.
    pub source: Fact<u64>,
    /// The copy there, by the version of the Secret that it was made of, if that is known.
    pub copy: Fact<Option<u64>>,
    /// Whether a Secret of somebody else has its name.
    pub is_taken: bool,
}

/// What is done in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SharingStep {
    /// Nothing is left to do.
    Rest,
    /// The copy is made equal to the operator's Secret.
    Copy,
    /// The copy is removed.
    Remove,
    /// There is no copy, for this reason.
    Lack(String),
}

/// Decides what is done in a namespace.
#[must_use]
pub fn share_backups(namespace: &str, seen: &SharingSeen, settings: &Settings) -> SharingStep {
    let has_copy = matches!(seen.copy, Fact::Known(_));
    let remove = if has_copy { SharingStep::Remove } else { SharingStep::Rest };
    if !settings.shares_backups_with(namespace) {
        return remove;
    }
    match (&seen.wanted, &seen.source, &seen.copy) {
        (Fact::Absent, ..) => remove,
        (Fact::Known(()), ..) if seen.is_taken => SharingStep::Lack(format!(
            "Secret {:?} in this namespace is somebody else's, and is left alone",
            names::SHARED_BACKUP
        )),
        (_, Fact::Absent, _) if has_copy => SharingStep::Remove,
        (Fact::Known(()), Fact::Absent, _) => SharingStep::Lack(format!(
            "there is no Secret {:?} in namespace {:?}",
            settings.backup_secret, settings.operator_namespace
        )),
        (Fact::Known(()), Fact::Unknown, Fact::Absent | Fact::Unknown) => {
            SharingStep::Lack(format!(
                "Secret {:?} in namespace {:?} could not be read",
                settings.backup_secret, settings.operator_namespace
            ))
        }
        (_, Fact::Known(newest), Fact::Known(copied)) if *copied != Some(*newest) => {
            SharingStep::Copy
        }
        (Fact::Known(()), Fact::Known(_), Fact::Absent) => SharingStep::Copy,
        (Fact::Unknown | Fact::Known(()), Fact::Unknown | Fact::Known(_), _)
        | (Fact::Unknown, Fact::Absent, _) => SharingStep::Rest,
    }
}

/// Returns the copy of the operator's Secret for a namespace: what backups need of it.
#[must_use]
pub fn shared_backup_secret(namespace: &str, source: &Secret) -> Secret {
    let data: BTreeMap<String, ByteString> = source
        .data
        .iter()
        .flatten()
        .filter(|(key, _)| names::s3::ALL.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let labels = [
        (labels::MANAGED_BY.to_owned(), labels::MANAGED_BY_VALUE.to_owned()),
        (labels::SHARED_BACKUP.to_owned(), "true".to_owned()),
    ];
    Secret {
        metadata: ObjectMeta {
            name: Some(names::SHARED_BACKUP.to_owned()),
            namespace: Some(namespace.to_owned()),
            labels: Some(labels.into()),
            ..Default::default()
        },
        data: Some(data),
        type_: Some("Opaque".to_owned()),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: [Fact<()>; 3] = [Fact::Known(()), Fact::Absent, Fact::Unknown];

    fn settings(share_with: &[&str]) -> Settings {
        let backup_share_with = share_with.iter().map(|&each| each.to_owned()).collect();
        Settings { backup_share_with, ..Settings::default() }
    }

    /// Every state of a namespace.
    fn states() -> Vec<SharingSeen> {
        let mut states = Vec::new();
        for wanted in FACTS {
            for source in [Fact::Known(7), Fact::Absent, Fact::Unknown] {
                for copy in [
                    Fact::Known(Some(7)),
                    Fact::Known(Some(6)),
                    Fact::Known(None),
                    Fact::Absent,
                    Fact::Unknown,
                ] {
                    for is_taken in [false, true] {
                        let (wanted, source) = (wanted.clone(), source.clone());
                        states.push(SharingSeen { wanted, source, copy: copy.clone(), is_taken });
                    }
                }
            }
        }
        states
    }

    #[test]
    fn a_namespace_that_is_not_listed_never_gets_a_copy_and_loses_the_one_it_has() {
        for seen in states() {
            let has_copy = matches!(seen.copy, Fact::Known(_));
            let expected = if has_copy { SharingStep::Remove } else { SharingStep::Rest };
            for listed in [settings(&[]), settings(&["other", "agents-of-others"])] {
                assert_eq!(share_backups("agents", &seen, &listed), expected, "{seen:?}");
            }
        }
    }

    #[test]
    fn a_listed_namespace_has_a_copy_exactly_while_an_agent_uses_it() {
        for listed in [settings(&["agents"]), settings(&["*"])] {
            for seen in states() {
                let step = share_backups("agents", &seen, &listed);
                let context = format!("{seen:?}");
                if step == SharingStep::Copy {
                    assert!(matches!(seen.source, Fact::Known(_)), "{context}");
                    assert_ne!(seen.wanted, Fact::Absent, "{context}");
                    assert!(seen.wanted != Fact::Known(()) || !seen.is_taken, "{context}");
                }
                if step == SharingStep::Remove {
                    let is_gone = seen.source == Fact::Absent;
                    assert!(seen.wanted == Fact::Absent || is_gone, "{context}");
                }
                if let SharingStep::Lack(_) = step {
                    assert_eq!(seen.wanted, Fact::Known(()), "{context}");
                }
                if seen.wanted == Fact::Known(()) && step == SharingStep::Rest {
                    let stands = matches!(seen.copy, Fact::Known(_));
                    // Until the copies are listed, nothing is done.
                    assert!(stands || seen.copy == Fact::Unknown, "{context}");
                }
            }
        }
    }

    #[test]
    fn a_copy_holds_what_backups_need_and_belongs_to_nobody() {
        let data = ["S3_BUCKET", "S3_ACCESS_KEY_ID", "password"];
        let data = data.map(|key| (key.to_owned(), ByteString(b"x".to_vec())));
        let source = Secret { data: Some(data.into()), ..Default::default() };
        let copy = shared_backup_secret("agents", &source);
        let keys: Vec<&String> = copy.data.iter().flatten().map(|(key, _)| key).collect();
        assert_eq!(keys, ["S3_ACCESS_KEY_ID", "S3_BUCKET"]);
        assert_eq!(copy.metadata.namespace.as_deref(), Some("agents"));
        assert_eq!(copy.metadata.owner_references, None);
    }
}
