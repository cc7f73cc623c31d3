//! Where skills, plugins and packages lie on the volume.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::read_mounted;
use super::Extender;
use super::item::{Item, Source};

/// Files of a package, and of a plugin, in its folder.
pub(super) const PACKAGE: &str = "package.json";
const MANIFEST: &str = "openclaw.plugin.json";
/// Folders of plugins that are looked through.
const MOST_FOLDERS: usize = 1000;

impl Extender<'_> {
    /// The folder of a thing, if there is one of its name, whoever made it.
    pub(super) fn folder(&self, item: &Item) -> Option<PathBuf> {
        match &item.source {
            Source::Npm { package, .. } => is_folder(self.package(package)),
            Source::Skill { slug, workspace, .. } => {
                is_folder(self.skills(workspace.as_deref()).join(slug))
            }
            Source::Plugin { package, .. } => self.plugin(package),
        }
    }

    /// Where npm puts packages with their programs.
    pub(super) fn prefix(&self) -> PathBuf {
        self.arguments.home.join(".local")
    }

    pub(super) fn package(&self, package: &str) -> PathBuf {
        self.prefix().join("lib/node_modules").join(package)
    }

    pub(super) fn skills(&self, workspace: Option<&Path>) -> PathBuf {
        workspace.unwrap_or(&self.arguments.state).join("skills")
    }

    /// The application puts packages of npm's into projects, and others into folders of their id.
    pub(super) fn plugin(&self, package: &str) -> Option<PathBuf> {
        let in_projects =
            self.below("npm/projects").map(|project| project.join("node_modules").join(package));
        let by_name = self.below("extensions").filter(|folder| {
            let read = read_json(&folder.join(PACKAGE));
            read.is_some_and(|it| it.get("name").and_then(Value::as_str) == Some(package))
        });
        in_projects.chain(by_name).find(|folder| folder.join(PACKAGE).is_file())
    }

    /// The plugin that the application has just turned on in its scratch configuration.
    pub(super) fn plugin_turned_on(&self) -> Option<PathBuf> {
        let config = read_json(&self.config())?;
        let entries = config.pointer("/plugins/entries").and_then(Value::as_object)?;
        let extensions = self.arguments.state.join("extensions");
        let mut folders = entries.keys().map(|id| extensions.join(id));
        folders.find(|folder| folder.join(PACKAGE).is_file())
    }

    fn below(&self, folder: &str) -> impl Iterator<Item = PathBuf> {
        let entries = fs::read_dir(self.arguments.state.join(folder)).into_iter().flatten();
        entries.flatten().take(MOST_FOLDERS).map(|entry| entry.path())
    }
}

/// What the application knows a plugin by.
pub(super) fn plugin_id(folder: &Path) -> Option<String> {
    Some(read_json(&folder.join(MANIFEST))?.get("id")?.as_str()?.to_owned())
}

fn is_folder(path: PathBuf) -> Option<PathBuf> {
    fs::symlink_metadata(&path).is_ok_and(|it| it.is_dir()).then_some(path)
}

fn read_json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&read_mounted(path).ok()?).ok()
}
