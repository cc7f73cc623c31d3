//! [`Item`]: a skill or plugin that is asked for.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record::Record;

/// How entries begin that are packages of npm's.
const NPM: &str = "npm:";

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    Npm,
    Skill,
    Plugin,
}

/// A skill or plugin that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// How it is called in what is said of it.
    pub(super) entry: String,
    pub(super) source: Source,
}

/// Where it comes from, and where it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A package of npm's, with its version if one is meant.
    Npm { package: String, version: Option<String> },
    /// A skill on ClawHub, for one workspace or for all.
    Skill {
        owner: Option<String>,
        slug: String,
        version: Option<String>,
        workspace: Option<PathBuf>,
    },
    /// A plugin, as the application is told where it comes from.
    Plugin { package: String, spec: String },
}

impl Item {
    /// What a record is about, if that is something which could have been installed.
    pub(super) fn recorded(record: &Record) -> Option<Self> {
        let entry = &*record.entry;
        let item = match record.kind? {
            Kind::Npm => Self::npm(entry.strip_prefix(NPM)?),
            Kind::Skill => Self::skill(entry, record.workspace.clone()),
            Kind::Plugin => Self::plugin(entry),
        };
        let name = match &item.source {
            Source::Npm { package, .. } | Source::Plugin { package, .. } => package,
            Source::Skill { slug, .. } => slug,
        };
        let is_inside = |part: Component<'_>| matches!(part, Component::Normal(_));
        (!name.is_empty() && Path::new(name).components().all(is_inside)).then_some(item)
    }

    pub(super) fn npm(text: &str) -> Self {
        let (package, version) = split(text);
        let source =
            Source::Npm { package: package.to_owned(), version: version.map(str::to_owned) };
        Self { entry: format!("{NPM}{text}"), source }
    }

    pub(super) fn skill(text: &str, workspace: Option<PathBuf>) -> Self {
        let (reference, version) = split(text);
        let (owner, slug) = match reference.strip_prefix('@').and_then(|it| it.split_once('/')) {
            Some((owner, slug)) => (Some(owner.to_owned()), slug),
            None => (None, reference),
        };
        let version = version.map(str::to_owned);
        let source = Source::Skill { owner, slug: slug.to_owned(), version, workspace };
        Self { entry: text.to_owned(), source }
    }

    pub(super) fn plugin(spec: &str) -> Self {
        let (package, _) = split(spec.split_once(':').map_or(spec, |(_, package)| package));
        let source = Source::Plugin { package: package.to_owned(), spec: spec.to_owned() };
        Self { entry: spec.to_owned(), source }
    }

    pub(super) fn kind(&self) -> Kind {
        match &self.source {
            Source::Npm { .. } => Kind::Npm,
            Source::Skill { .. } => Kind::Skill,
            Source::Plugin { .. } => Kind::Plugin,
        }
    }

    /// The workspace of a skill that is for one alone.
    pub(super) fn workspace(&self) -> Option<&Path> {
        let Source::Skill { workspace, .. } = &self.source else { return None };
        workspace.as_deref()
    }

    /// What tells it from others, whatever its version.
    pub(super) fn place(&self) -> String {
        match &self.source {
            Source::Npm { package, .. } => format!("npm {package}"),
            Source::Skill { slug, workspace, .. } => {
                let workspace = workspace.as_ref().map(|it| it.display().to_string());
                format!("skill {slug} {}", workspace.unwrap_or_default())
            }
            Source::Plugin { package, .. } => format!("plugin {package}"),
        }
    }
}

/// A name, and the version behind its last `@`; an `@` at its beginning belongs to the name.
fn split(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() => (name, Some(version)),
        Some(_) | None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::{Item, Source, split};

    #[test]
    fn an_owner_is_no_version() {
        assert_eq!(split("@a/b"), ("@a/b", None));
        assert_eq!(split("@a/b@1.0"), ("@a/b", Some("1.0")));
        assert_eq!(split("b@1.0"), ("b", Some("1.0")));
    }

    #[test]
    fn a_skill_keeps_its_owner_and_a_plugin_its_source() {
        let Source::Skill { owner, slug, .. } = Item::skill("@a/b@1", None).source else {
            unreachable!()
        };
        assert_eq!((owner.as_deref(), &*slug), (Some("a"), "b"));
        let item = Item::plugin("clawhub:@a/b@1");
        assert_eq!(item.place(), "plugin @a/b");
    }
}
