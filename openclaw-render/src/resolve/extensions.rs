//! Skills and plugins that are installed onto the agent's volume.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{EnvVar, ResourceRequirements};

use super::context::Resolving;
use super::environment::Environment;
use super::resources::{self, EXTENDERS};
use super::storage::{DataVolume, Storage};
use super::{NetworkPolicy, runtimes};
use crate::api::{OpenClawInstance, OpenClawInstanceSpec};
use crate::packs::PackReference;

/// Prefixes of entries: from where.
const NPM: &str = "npm:";
const CLAWHUB: &str = "clawhub:";
pub(super) const PACK: &str = "pack:";
const TIMEOUT_SECONDS: i64 = 600;

/// What is installed, and with what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Extensions {
    /// Packages of npm's, each with its version if one is meant; sorted.
    pub(crate) packages: Vec<String>,
    /// Skills on ClawHub, for all workspaces; sorted.
    pub(crate) skills: Vec<String>,
    /// The same for one workspace: its name, and the skill; sorted.
    pub(crate) of_workspaces: Vec<(String, String)>,
    /// Plugins, each with its source; sorted.
    pub(crate) plugins: Vec<String>,
    pub(crate) had: Had,
    pub(crate) resources: ResourceRequirements,
    pub(crate) timeout_seconds: i64,
    /// Those of the user's variables that say how to reach the network.
    pub(crate) variables: Vec<EnvVar>,
}

/// What the volume may hold because the spec asked for it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Had {
    pub(crate) skills: bool,
    pub(crate) plugins: bool,
    /// Whether what is installed is still there when the pod is replaced.
    pub(crate) outlasts_a_pod: bool,
}

impl Had {
    pub(super) fn of(instance: &OpenClawInstance, storage: &Storage) -> Self {
        let outlasts_a_pod = !matches!(storage.volume, DataVolume::Ephemeral(_));
        let had = instance.status.as_ref().and_then(|status| status.installed);
        let had = had.filter(|_| outlasts_a_pod).unwrap_or_default();
        Self {
            skills: had.skills == Some(true),
            plugins: had.plugins == Some(true),
            outlasts_a_pod,
        }
    }
}

impl Extensions {
    pub(crate) fn has_skills(&self) -> bool {
        !(self.packages.is_empty() && self.skills.is_empty() && self.of_workspaces.is_empty())
    }

    pub(crate) fn has_plugins(&self) -> bool {
        !self.plugins.is_empty()
    }
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    had: Had,
    environment: &Environment,
    network_policy: Option<&NetworkPolicy>,
    cx: &mut Resolving<'_>,
) -> Option<Extensions> {
    let mut asked = Asked::default();
    for (index, entry) in spec.skills.iter().flatten().enumerate() {
        asked.skill(&format!("spec.skills[{index}]"), entry, None, cx);
    }
    let workspaces = spec.workspace.as_ref().and_then(|it| it.additional_workspaces.as_ref());
    for (place, workspace) in workspaces.into_iter().flatten().enumerate() {
        for (index, entry) in workspace.skills.iter().flatten().enumerate() {
            let path = format!("spec.workspace.additionalWorkspaces[{place}].skills[{index}]");
            asked.skill(&path, entry, Some(&workspace.name), cx);
        }
    }
    for (index, entry) in spec.plugins.iter().flatten().enumerate() {
        asked.plugin(&format!("spec.plugins[{index}]"), entry, cx);
    }
    let first = asked.first.take();
    if first.is_none() && !had.skills && !had.plugins {
        return None;
    }
    if let Some(first) = first
        && network_policy.is_some_and(|policy| !policy.https)
    {
        cx.ineffective(
            first,
            "is installed from the Internet, which \
             `spec.security.networkPolicy.allowHTTPS: false` closes: open what a mirror needs in \
             `additionalEgress`",
        );
    }
    let install = spec.skills_install.clone().unwrap_or_default();
    let path = "spec.skillsInstall.resources";
    Some(Extensions {
        packages: asked.packages.into_iter().collect(),
        skills: asked.skills.into_iter().collect(),
        of_workspaces: asked.of_workspaces.into_iter().collect(),
        plugins: asked.plugins.into_iter().collect(),
        had,
        resources: resources::requirements(path, install.resources.as_ref(), &EXTENDERS, cx),
        timeout_seconds: limit(spec),
        variables: runtimes::of_installers(environment),
    })
}

/// Returns how long each installer may take, in seconds.
pub(super) fn limit(spec: &OpenClawInstanceSpec) -> i64 {
    let install = spec.skills_install.as_ref();
    install.and_then(|install| install.timeout_seconds).unwrap_or(TIMEOUT_SECONDS)
}

/// What has been read of the lists.
#[derive(Default)]
struct Asked {
    /// Path of the first entry.
    first: Option<String>,
    packages: BTreeSet<String>,
    skills: BTreeSet<String>,
    of_workspaces: BTreeSet<(String, String)>,
    plugins: BTreeSet<String>,
    /// What goes to which place: the entry that says so.
    places: BTreeMap<String, String>,
}

impl Asked {
    fn skill(&mut self, path: &str, entry: &str, workspace: Option<&str>, cx: &mut Resolving<'_>) {
        if entry.starts_with(PACK) {
            return;
        }
        if let Some(package) = entry.strip_prefix(NPM) {
            let Ok(name) = npm_package(package) else { return };
            // npm has one place for all workspaces, and two of them may ask for the same.
            let place = format!("npm {name}");
            if self.packages.contains(package) && workspace.is_some() {
                return;
            }
            if self.takes(path, place, entry, cx) {
                self.packages.insert(package.to_owned());
            }
            return;
        }
        let Ok((reference, slug)) = clawhub_skill(entry) else { return };
        if !reference.starts_with('@') {
            cx.risk(
                path,
                format!(
                    "{entry:?} is whatever ClawHub knows by that name: write `@owner/{slug}`, so \
                     that nobody else's is installed"
                ),
            );
        }
        let place = format!("skill {} {slug}", workspace.unwrap_or_default());
        if !self.takes(path, place, entry, cx) {
            return;
        }
        match workspace {
            None => self.skills.insert(reference),
            Some(name) => self.of_workspaces.insert((name.to_owned(), reference)),
        };
    }

    fn plugin(&mut self, path: &str, entry: &str, cx: &mut Resolving<'_>) {
        let (source, package) = plugin(entry);
        let Ok(name) = npm_package(package) else { return };
        if self.takes(path, format!("plugin {name}"), entry, cx) {
            self.plugins.insert(format!("{source}{package}"));
        }
    }

    /// Whether nothing else goes to that place.
    fn takes(&mut self, path: &str, place: String, entry: &str, cx: &mut Resolving<'_>) -> bool {
        self.first.get_or_insert_with(|| path.to_owned());
        let Some(first) = self.places.get(&place) else {
            self.places.insert(place, entry.to_owned());
            return true;
        };
        cx.ineffective(
            path,
            format!("{entry:?} has no effect: {first:?} goes to the same place; keep one of them"),
        );
        false
    }
}

/// Whether an entry of a list of skills can be read.
///
/// # Errors
/// How to write it, as the rest of a sentence that begins with the entry.
pub(super) fn skill_form(entry: &str) -> Result<(), String> {
    if let Some(pack) = entry.strip_prefix(PACK) {
        let read = PackReference::parse(pack).map(drop);
        return read.map_err(|form| format!("is no skill pack: write {form}"));
    }
    let read = match entry.strip_prefix(NPM) {
        Some(package) => npm_package(package).map(drop),
        None => clawhub_skill(entry).map(drop),
    };
    read.map_err(|form| format!("cannot be installed: write {form}"))
}

/// Whether an entry of a list of plugins can be read.
///
/// # Errors
/// How to write it, as the rest of a sentence that begins with the entry.
pub(super) fn plugin_form(entry: &str) -> Result<(), String> {
    let read = npm_package(plugin(entry).1).map(drop);
    read.map_err(|form| format!("cannot be installed: write {form}"))
}

/// Takes a plugin apart: its source, and its package there.
fn plugin(entry: &str) -> (&'static str, &str) {
    match entry.strip_prefix(NPM) {
        Some(package) => (NPM, package),
        None => (CLAWHUB, entry.strip_prefix(CLAWHUB).unwrap_or(entry)),
    }
}

/// Returns the name of a package: `name`, `@scope/name`, either with `@version`. Only what npm's
/// registry has: no URL, no path, no repository, no range of versions.
fn npm_package(text: &str) -> Result<String, &'static str> {
    const FORM: &str = "a package of the registry, `name` or `@scope/name`, with `@version` or \
                        `@tag` if one is meant";
    let (name, version) = versioned(text);
    let is_name = |part: &str| is_segment(part) && part.chars().all(|c| !c.is_ascii_uppercase());
    let is_package = match name.strip_prefix('@') {
        Some(scoped) => {
            scoped.split_once('/').is_some_and(|(scope, name)| is_name(scope) && is_name(name))
        }
        None => is_name(name),
    };
    let is_good = is_package && version.is_none_or(is_version);
    if is_good { Ok(name.to_owned()) } else { Err(FORM) }
}

/// Returns a skill as ClawHub is asked for it, with its version, and the name of its directory.
fn clawhub_skill(text: &str) -> Result<(String, String), &'static str> {
    const FORM: &str = "`@owner/name`, with `@version` if one is meant, or `npm:package`";
    let (name, version) = versioned(text);
    let bare = name.strip_prefix('@').unwrap_or(name);
    let (reference, slug) = match bare.split_once('/') {
        Some((owner, slug)) if is_segment(owner) && is_segment(slug) => (format!("@{bare}"), slug),
        None if is_segment(bare) => (bare.to_owned(), bare),
        Some(_) | None => return Err(FORM),
    };
    match version {
        Some(version) if is_version(version) => {
            Ok((format!("{reference}@{version}"), slug.to_owned()))
        }
        Some(_) => Err(FORM),
        None => Ok((reference, slug.to_owned())),
    }
}

/// Returns where a skill comes from, as policies name it: host, owner, name.
pub(crate) fn skill_source(entry: &str) -> Result<String, &'static str> {
    const PACK_FORM: &str = "`pack:owner/repository/path`";
    if let Some(pack) = entry.strip_prefix(PACK) {
        let parts: Vec<&str> = pack.split('@').next().unwrap_or_default().split('/').collect();
        return match parts.as_slice() {
            [owner, repository, ..] if parts.iter().all(|part| is_segment(part)) => {
                Ok(format!("github.com/{owner}/{repository}"))
            }
            _ => Err(PACK_FORM),
        };
    }
    if let Some(package) = entry.strip_prefix(NPM) {
        return npm_package(package).map(|name| format!("npmjs.com/{name}"));
    }
    let (reference, _) = clawhub_skill(entry)?;
    Ok(format!("clawhub.ai/{}", versioned(&reference).0))
}

/// A name, and the version behind its last `@`; an `@` at its beginning belongs to the name.
fn versioned(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() => (name, Some(version)),
        Some(_) | None => (text, None),
    }
}

/// A part of a name: no option, no way out of a directory.
fn is_segment(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+'))
}

#[cfg(test)]
mod tests {
    use super::{clawhub_skill, npm_package};

    #[test]
    fn a_skill_keeps_its_owner_and_its_version() {
        let read = |text: &str| clawhub_skill(text).map(|(reference, _)| reference);
        for (text, reference) in [
            ("weather", "weather"),
            ("@weather", "weather"),
            ("a/weather", "@a/weather"),
            ("@a/weather", "@a/weather"),
            ("@a/weather@1.0.0", "@a/weather@1.0.0"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(reference));
        }
    }

    #[test]
    fn what_could_be_an_option_a_path_or_another_source_is_refused() {
        for bad in [
            "", "-x", "--x", "@", "@/x", "a/b/c", "../x", "a/..", "a b", "a;b", "x@", "x@-1",
            "x@^1", "git:a/b", "http://x", "./x", ".x", "$x", "x\n", "@a/-x",
        ] {
            assert!(clawhub_skill(bad).is_err(), "{bad:?}");
            assert!(npm_package(bad).is_err(), "{bad:?}");
        }
        for bad in ["a/b", "A", "@a", "file:x", "x@npm:y", "x@>=1", "x@1 || 2"] {
            assert!(npm_package(bad).is_err(), "{bad:?}");
        }
        for good in ["x", "@a/x", "x@1.2.3", "@a/x@latest", "x@1.0.0-beta.1+2"] {
            assert!(npm_package(good).is_ok(), "{good:?}");
        }
    }
}
