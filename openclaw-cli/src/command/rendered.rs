//! What `render` and `check` share: the instances of all inputs, rendered.

use std::path::PathBuf;

use openclaw_render::{Object, Observed, Problem, Rule, Settings, render_instance};

use crate::input::{self, InputError};
use crate::output;

/// One input with what was found in it.
pub(super) struct Rendered {
    pub(super) name: String,
    /// Sorted, the gravest first.
    pub(super) problems: Vec<Problem>,
}

/// Renders every instance of every input. Returns the objects of all, and the problems by input.
///
/// `prepare` is given what is known before an instance is rendered for it; problems of `errors` are
/// errors whatever they are elsewhere.
pub(super) fn render<E: From<InputError>>(
    files: &[PathBuf],
    namespace: Option<&str>,
    errors: &[Rule],
    prepare: impl Fn(&mut Observed) -> Result<(), E>,
) -> Result<(Vec<Object>, Vec<Rendered>), E> {
    let settings = Settings::default();
    let mut objects = Vec::new();
    let mut inputs = Vec::new();
    for input in input::read(files, namespace)? {
        let mut problems = input.documents.problems.clone();
        for instance in &input.documents.instances {
            let mut observed = input.documents.observed(instance);
            prepare(&mut observed)?;
            let (rendered, found) = render_instance(instance, &observed, &settings);
            objects.extend(rendered);
            problems.extend(found);
        }
        problems.extend(output::doubled(&objects));
        if !errors.is_empty() {
            output::escalate(&mut problems, errors);
        }
        inputs.push(Rendered { name: input.name, problems });
    }
    Ok((objects, inputs))
}
