//! `diff`: what a change of manifests changes, and what becomes of the pods.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use openclaw_render::{Consequence, Object, consequence, printable};
use similar::{ChangeTag, TextDiff};

use super::rendered::{self, Agent, Rendered, Request};
use crate::error::{is_broken_pipe, unanswered};
use crate::input::InputError;
use crate::output;

/// Lines around a change.
const CONTEXT: usize = 3;
const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const TITLE: Style = Style::new().bold();

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 nothing changes; 1 something does; 2 it could not be found \
                        out.\n\n\
                        Examples:\n  \
                        openclaw-cli diff main/agents/ agents/\n  \
                        git show HEAD:ada.yaml | openclaw-cli diff - ada.yaml")]
pub(crate) struct Arguments {
    /// Manifests as they were: a file, a directory or `-`.
    pub(crate) before: PathBuf,
    /// Manifests as they will be.
    pub(crate) after: PathBuf,
    /// Namespace of objects that name none.
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Only what becomes of the pods, a line for each instance.
    #[arg(short, long)]
    pub(crate) summary: bool,
}

/// Compares what the operator would make of both sides, object by object.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    match compare(arguments) {
        Ok(true) => Ok(ExitCode::FAILURE),
        Ok(false) => Ok(ExitCode::SUCCESS),
        Err(error) if is_broken_pipe(error.as_ref()) => Err(error),
        // As `kubectl diff` does.
        Err(error) => Ok(unanswered(error.as_ref())?),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{path:?} cannot be rendered")]
struct Wrong {
    path: PathBuf,
}

/// Returns whether anything changes.
fn compare(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    if [&arguments.before, &arguments.after].iter().all(|path| path.as_os_str() == "-") {
        return Err(InputError::Twice.into());
    }
    let side = |path: &PathBuf| -> Result<Rendered, Box<dyn Error>> {
        let files = std::slice::from_ref(path);
        let request = Request { files, namespace: arguments.namespace.as_deref(), errors: &[] };
        let rendered = rendered::preview(&request)?;
        for file in &rendered.files {
            output::lines(file)?;
        }
        if rendered.has_errors() {
            return Err(Wrong { path: path.clone() }.into());
        }
        Ok(rendered)
    };
    let (before, after) = (side(&arguments.before)?, side(&arguments.after)?);
    let mut stdout = anstream::stdout().lock();
    let mut differs = false;
    for ((namespace, name), [before, after]) in pairs(&before.agents, &after.agents) {
        let consequence = consequence(before, after);
        let texts = [texts(before), texts(after)];
        if texts[0] == texts[1] {
            continue;
        }
        differs = true;
        let style = match consequence {
            Consequence::Nothing | Consequence::Reloads | Consequence::Waits => ADDED,
            Consequence::GatewayRestarts(_)
            | Consequence::Starts
            | Consequence::PodReplaced
            | Consequence::Stops => REMOVED,
        };
        let agent = printable(&format!("{namespace}/{name}"));
        writeln!(stdout, "{TITLE}{agent}{TITLE:#}: {style}{consequence}{style:#}")?;
        if !arguments.summary {
            objects(&mut stdout, &texts)?;
        }
    }
    Ok(differs)
}

/// Returns the objects of every instance on both sides, none where there is no such instance.
fn pairs<'a>(
    before: &'a [Agent],
    after: &'a [Agent],
) -> BTreeMap<(&'a str, &'a str), [&'a [Object]; 2]> {
    let mut pairs: BTreeMap<_, [&[Object]; 2]> = BTreeMap::new();
    for agent in before {
        pairs.entry((agent.namespace.as_str(), agent.name.as_str())).or_default()[0] =
            &agent.objects;
    }
    for agent in after {
        pairs.entry((agent.namespace.as_str(), agent.name.as_str())).or_default()[1] =
            &agent.objects;
    }
    pairs
}

fn texts(objects: &[Object]) -> BTreeMap<String, String> {
    objects.iter().map(|object| (rendered::name(object), object.to_yaml())).collect()
}

/// Writes every object that differs, as `diff --unified` does.
fn objects(
    out: &mut impl Write,
    [before, after]: &[BTreeMap<String, String>; 2],
) -> io::Result<()> {
    let new = after.keys().filter(|name| !before.contains_key(*name));
    for name in before.keys().chain(new) {
        let text = |side: &BTreeMap<String, String>| side.get(name).cloned().unwrap_or_default();
        let (old, new) = (text(before), text(after));
        if old == new {
            continue;
        }
        writeln!(out, "{TITLE}--- {name}\n+++ {name}{TITLE:#}")?;
        let diff = TextDiff::from_lines(&old, &new);
        for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
            writeln!(out, "{}", hunk.header())?;
            for change in hunk.iter_changes() {
                let (sign, style) = match change.tag() {
                    ChangeTag::Delete => ('-', REMOVED),
                    ChangeTag::Insert => ('+', ADDED),
                    ChangeTag::Equal => (' ', Style::new()),
                };
                let line = change.value().trim_end_matches('\n');
                writeln!(out, "{style}{sign}{line}{style:#}")?;
            }
        }
    }
    Ok(())
}
