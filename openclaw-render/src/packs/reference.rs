//! [`PackReference`]: which folder of which repository, and at which branch, tag or commit.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::is_commit;

/// `owner/repository/path@ref`, each part checked: it goes into addresses as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackReference {
    owner: String,
    repository: String,
    /// `.` for the root of the repository.
    path: String,
    revision: Option<String>,
}

impl PackReference {
    /// Reads what follows `pack:`.
    ///
    /// # Errors
    /// When it is written in another way; says how to write it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "`pack:owner/repository/path`, with `@` and a branch, tag or commit if one \
                            is meant, and `.` as the path of the whole repository";
        let (place, revision) = match text.rsplit_once('@') {
            Some((place, revision)) => (place, Some(revision)),
            None => (text, None),
        };
        let mut parts = place.splitn(3, '/');
        let (Some(owner), Some(repository), Some(path)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(FORM);
        };
        let is_path = path == "." || path.split('/').all(is_segment);
        let is_good = is_owner(owner)
            && is_segment(repository)
            && is_path
            && revision.is_none_or(is_revision);
        if !is_good {
            return Err(FORM);
        }
        Ok(Self {
            owner: owner.to_owned(),
            repository: repository.to_owned(),
            path: path.to_owned(),
            revision: revision.map(str::to_owned),
        })
    }

    /// Returns `owner/repository`.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.repository)
    }

    /// Returns the branch, tag or commit; without one, that which GitHub calls `HEAD`.
    #[must_use]
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("HEAD")
    }

    /// Whether it always means the same content.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.revision.as_deref().is_some_and(is_commit)
    }

    /// Whether the other one means the same folder, maybe at another revision.
    #[must_use]
    pub fn is_same_folder(&self, other: &Self) -> bool {
        (&self.owner, &self.repository, &self.path)
            == (&other.owner, &other.repository, &other.path)
    }

    /// Whether it is in the repository, or one of the owner's, that a line of a list names:
    /// `owner/repository` or `owner`, also with `github.com/` in front. Case does not count.
    #[must_use]
    pub fn is_of(&self, line: &str) -> bool {
        let line = line.strip_prefix("github.com/").unwrap_or(line);
        match line.split_once('/') {
            Some((owner, "*")) => owner.eq_ignore_ascii_case(&self.owner),
            Some((owner, repository)) => {
                owner.eq_ignore_ascii_case(&self.owner)
                    && repository.eq_ignore_ascii_case(&self.repository)
            }
            None => line.eq_ignore_ascii_case(&self.owner),
        }
    }

    /// Returns the path of a file of the pack in the repository.
    #[must_use]
    pub fn file(&self, below: &str) -> String {
        if self.path == "." { below.to_owned() } else { format!("{}/{below}", self.path) }
    }

    /// Returns the name of the directory of its skill.
    pub(super) fn name(&self) -> &str {
        let last = self.path.rsplit('/').next().unwrap_or_default();
        if last == "." { &self.repository } else { last }
    }
}

impl fmt::Display for PackReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.owner, self.repository, self.path)?;
        match &self.revision {
            Some(revision) => write!(f, "@{revision}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for PackReference {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PackReference> for String {
    fn from(reference: PackReference) -> Self {
        reference.to_string()
    }
}

fn is_owner(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes().next().is_some_and(is_letter)
        && text.len() <= 100
        && text.bytes().all(|byte| is_letter(byte) || b"-_".contains(&byte))
}

/// A name in a path: nothing that means another directory.
fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text.len() <= 100
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Names of branches, tags and commits. Where GitHub keeps requests of strangers is none of them.
fn is_revision(text: &str) -> bool {
    let is_strangers = ["refs/", "pull/"].iter().any(|it| text.starts_with(it));
    !is_strangers
        && text.split('/').all(is_segment)
        && !text.contains("..")
        && !text.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::PackReference;

    #[test]
    fn a_reference_is_read_as_it_is_written() {
        for (text, repository, revision, file) in [
            ("o/r/p", "o/r", "HEAD", "p/SKILL.md"),
            ("o/r/p@v1.0.0", "o/r", "v1.0.0", "p/SKILL.md"),
            ("o/r/nested/deep/path@feature/x", "o/r", "feature/x", "nested/deep/path/SKILL.md"),
            ("owner/repo/.@main", "owner/repo", "main", "SKILL.md"),
        ] {
            let read = PackReference::parse(text).expect(text);
            assert_eq!((&*read.repository(), read.revision()), (repository, revision), "{text}");
            assert_eq!(
                (read.file("SKILL.md"), read.to_string()),
                (file.to_owned(), text.to_owned())
            );
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for bad in [
            "",
            "o",
            "o/r",
            "o/r/",
            "/r/p",
            "o//p",
            "o/r/../x",
            "o/r/a/../b",
            "o/../p",
            "o/./p",
            "o/r/p@",
            "o/r/p@a..b",
            "o/r/p@/x",
            "o/r/p@-x",
            "o/r/a b",
            "o/r/p?x",
            "o/r/p#x",
            "o/r/p%2e",
            "o.x/r/p",
            "o/r/./x",
            "o/r/p@a b",
            "o/r/p\n",
        ] {
            assert!(PackReference::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_line_of_a_list_names_an_owner_or_a_repository_and_no_part_of_one() {
        let pack = PackReference::parse("Acme/skills/x").expect("a pack");
        for line in ["acme", "github.com/acme/skills", "acme/*", "ACME/Skills"] {
            assert!(pack.is_of(line), "{line}");
        }
        for line in ["", "acm", "acme/skill", "acme/skills/x", "other/skills", "*"] {
            assert!(!pack.is_of(line), "{line}");
        }
    }
}
