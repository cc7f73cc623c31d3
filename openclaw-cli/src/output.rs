//! What goes to standard output and standard error.

use std::io::{self, Write};

use openclaw_render::{Object, Problem, Rule, Severity};

/// Problems as `FILE: spec.path: message`, one line each. Returns the gravest severity.
///
/// # Errors
/// When nobody reads standard error any more.
pub(crate) fn problems(file: &str, problems: &[Problem]) -> io::Result<Option<Severity>> {
    let mut stderr = io::stderr().lock();
    for problem in problems {
        writeln!(stderr, "{file}: {problem}")?;
    }
    Ok(problems.iter().map(|problem| problem.severity).min())
}

/// What is only advice as long as not everything can be known becomes an error.
pub(crate) fn escalate(problems: &mut [Problem], rules: &[Rule]) {
    for problem in problems.iter_mut().filter(|problem| rules.contains(&problem.rule)) {
        problem.severity = Severity::Error;
    }
    problems.sort();
    problems.sort_by_key(|problem| problem.severity);
}

/// Two instances may ask for objects of one name, `a-config` by instance `a` and by `a-config`.
pub(crate) fn doubled(objects: &[Object]) -> Vec<Problem> {
    let mut keys: Vec<_> = objects.iter().map(|each| (each.namespace(), each.key())).collect();
    keys.sort();
    let twice = keys.windows(2).filter_map(|pair| match pair {
        [left, right] if left == right => Some(left),
        _ => None,
    });
    twice
        .map(|(namespace, key)| {
            Problem::error(
                "metadata.name",
                Rule::Invalid,
                format!("two instances make {key} in namespace {namespace}: rename one of them"),
            )
        })
        .collect()
}
