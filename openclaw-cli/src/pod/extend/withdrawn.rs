//! What was installed and is asked for no more: it is removed, and nothing else.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::application::on_path;
use super::super::{installer, one_line};
use super::item::{Item, Source};
use super::places::plugin_id;
use super::record::{Origin, Record};
use super::{ExtendError, Extender, WORDS_LIMIT, empty, say};
use crate::error::chain;

/// All of it together. It needs no network, and what is asked for waits for it.
const LIMIT: Duration = Duration::from_mins(1);

impl Extender<'_> {
    /// Removes what the records name and nothing asks for. Returns what could not be.
    pub(super) fn withdraw(&self, asked: &[Item]) -> Vec<String> {
        let deadline = self.deadline.min(Instant::now() + LIMIT);
        let records = match self.records.all() {
            Ok(records) => records,
            Err(error) => return vec![chain(&error)],
        };
        let places: Vec<String> = asked.iter().map(Item::place).collect();
        let withdrawn = records.iter().filter_map(|record| {
            let item = Item::recorded(record)?;
            let is_of_ours = self.arguments.sort.has(item.kind());
            (is_of_ours && !places.contains(&item.place())).then_some((record, item))
        });
        let mut failed = Vec::new();
        for (record, item) in withdrawn {
            let removed = self.remove(record, &item, deadline).and_then(|()| {
                let forgotten = self.records.forget(&item.place());
                forgotten.map_err(|source| ExtendError::Prepare { source })
            });
            let Err(error) = removed else { continue };
            let words = one_line(&chain(&error), WORDS_LIMIT);
            let text = format!("{} is asked for no more, and still there: {words}", item.entry);
            say(&text);
            failed.push(text);
        }
        failed
    }

    fn remove(&self, record: &Record, item: &Item, deadline: Instant) -> Result<(), ExtendError> {
        if record.was_there {
            say(&format!("{} stays: it was there before it was asked for", item.entry));
            return Ok(());
        }
        let folder = self.folder(item).or_else(|| match &item.source {
            Source::Plugin { .. } => folder_of(record),
            Source::Npm { .. } | Source::Skill { .. } => None,
        });
        let Some(folder) = folder else { return Ok(()) };
        say(&format!("{} is removed", item.entry));
        match &item.source {
            Source::Npm { package, .. } => {
                let npm = on_path("npm").ok_or(ExtendError::Find { program: "npm" })?;
                let mut command = installer::npm_global_removal(npm, &self.prefix(), package);
                self.run(&mut command, deadline)?;
            }
            // The application has no command for it. What the agent has made its own stays.
            Source::Skill { .. } if Origin::of(&folder).is_none() => return Ok(()),
            Source::Skill { .. } => fs::remove_dir_all(&folder)
                .map_err(|source| ExtendError::Remove { path: folder.clone(), source })?,
            Source::Plugin { package, .. } => {
                let id = plugin_id(&folder);
                let mut command = self.application(&["plugins", "uninstall"], &empty())?;
                command.arg(id.as_ref().unwrap_or(package)).arg("--force");
                self.run(&mut command, deadline)?;
            }
        }
        if folder.exists() { Err(ExtendError::Remains { path: folder }) } else { Ok(()) }
    }
}

/// The folder in which it lay when it was installed, if it is still there.
fn folder_of(record: &Record) -> Option<PathBuf> {
    let file = record.files.first().filter(|file| file.is_file())?;
    Some(file.parent()?.to_owned())
}
