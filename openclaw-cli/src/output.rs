//! What goes to standard output and standard error of what was found wrong.

use std::fmt::Write as _;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use openclaw_render::{Severity, printable};
use serde_json::{Value, json};

use crate::command::rendered::{Checked, Finding};

/// Longest line of which an excerpt is shown.
const MAX_LINE: usize = 400;

/// Problems as `FILE:LINE:COLUMN: spec.path: message`, one line each.
///
/// # Errors
/// When nobody reads standard error any more.
pub(crate) fn lines(file: &Checked) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    for finding in &file.findings {
        writeln!(stderr, "{}", line(file, finding))?;
    }
    Ok(())
}

/// As [`lines`], with an excerpt of the file after everything that is more than advice.
///
/// # Errors
/// When nobody reads standard error any more.
pub(crate) fn excerpts(file: &Checked) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    for finding in &file.findings {
        writeln!(stderr, "{}", line(file, finding))?;
        if finding.problem.severity != Severity::Advice
            && let Some(excerpt) = excerpt(file, finding)
        {
            writeln!(stderr, "{excerpt}")?;
        }
    }
    Ok(())
}

/// Problems as GitHub's workflow commands, which become annotations of a change.
///
/// See <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>.
pub(crate) fn github(file: &Checked) -> String {
    let mut text = String::new();
    for Finding { problem, position } in &file.findings {
        let command = match problem.severity {
            Severity::Error | Severity::WillNotStart => "error",
            Severity::Advice => "warning",
        };
        let place = position.as_ref().map_or_else(String::new, |position| {
            format!(",line={},col={}", position.line, position.column)
        });
        let (name, title) = (property(&file.name), property(&printable(&problem.path)));
        let message = data(&problem.to_string());
        let _ = writeln!(text, "::{command} file={name}{place},title={title}::{message}");
    }
    text
}

/// Everything about the files, for programs.
pub(crate) fn document(files: &[Checked], is_ok: impl Fn(&Checked) -> bool) -> Value {
    let files: Vec<Value> = files
        .iter()
        .map(|file| {
            let findings = file.findings.iter().map(|Finding { problem, position }| {
                let mut finding = json!(problem);
                if let (Some(finding), Some(position)) = (finding.as_object_mut(), position) {
                    finding.insert("line".to_owned(), json!(position.line));
                    finding.insert("column".to_owned(), json!(position.column));
                }
                finding
            });
            json!({
                "file": file.name,
                "ok": is_ok(file),
                "problems": findings.collect::<Vec<_>>(),
            })
        })
        .collect();
    let ok = files.iter().all(|file| file.get("ok") == Some(&Value::Bool(true)));
    json!({"ok": ok, "files": files})
}

fn line(file: &Checked, Finding { problem, position }: &Finding) -> String {
    let name = printable(&file.name);
    match position {
        Some(position) => {
            format!("{name}:{}:{}: {problem}", position.line, position.column)
        }
        None => format!("{name}: {problem}"),
    }
}

/// Returns the line with a mark below what is meant.
fn excerpt(file: &Checked, finding: &Finding) -> Option<String> {
    let position = finding.position.as_ref()?;
    let text = &file.text;
    let bytes = position.bytes.as_ref()?;
    let start = bytes.start;
    let begin = text.get(..start)?.rfind('\n').map_or(0, |end| end + 1);
    let length = text.get(begin..)?.find('\n').unwrap_or(text.len() - begin);
    if length > MAX_LINE {
        return None;
    }
    let shown = text.get(begin..begin + length)?;
    let end = bytes.end.min(begin + length).max(start);
    let mark = AnnotationKind::Primary.span(start - begin..end - begin);
    let line = usize::try_from(position.line).ok()?;
    let snippet = Snippet::source(shown).line_start(line).annotation(mark);
    let group = annotate_snippets::Group::with_level(Level::ERROR).element(snippet);
    Some(Renderer::plain().render(&[group]))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
