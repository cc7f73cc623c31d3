//! What the commands share: the instances of all inputs, rendered.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;

use openclaw_render::api::OpenClawInstance;
use openclaw_render::{
    Found, Object, Observed, Problem, Rule, Settings, Severity, render_instance,
};

use crate::input::{self, InputError, Inputs, Position};
use crate::output;
use openclaw_render::vocab::DEFAULT_NAMESPACE;

/// Inputs of commands that have no other question.
#[derive(Debug, clap::Args)]
pub(crate) struct Manifests {
    /// Manifests, as for `render`.
    #[arg(required = true, value_name = "FILE|DIR|-")]
    files: Vec<PathBuf>,
    /// Namespace of objects that name none.
    #[arg(short, long)]
    namespace: Option<String>,
}

impl Manifests {
    /// Renders them and prints what is wrong. Returns nothing if anything is an error.
    pub(super) fn rendered(&self) -> Result<Option<Rendered>, Box<dyn Error>> {
        let request =
            Request { files: &self.files, namespace: self.namespace.as_deref(), errors: &[] };
        let rendered = preview(&request)?.instances()?;
        for file in &rendered.files {
            output::lines(file)?;
        }
        Ok(Some(rendered).filter(|rendered| !rendered.has_errors()))
    }
}

/// What to render, and how.
pub(super) struct Request<'a> {
    /// Files and directories.
    pub(super) files: &'a [PathBuf],
    /// Namespace of objects that name none.
    pub(super) namespace: Option<&'a str>,
    /// Rules whose problems are errors, whatever they are elsewhere.
    pub(super) errors: &'a [Rule],
}

/// All inputs, rendered.
pub(super) struct Rendered {
    /// Every instance, by namespace and name.
    pub(super) agents: Vec<Agent>,
    pub(super) files: Vec<Checked>,
    /// Whether there was something else of the operator's API.
    has_others: bool,
}

impl Rendered {
    /// Refuses inputs without an instance, unless something is wrong in the place of one.
    pub(super) fn instances(self) -> Result<Self, InputError> {
        let there = !self.agents.is_empty();
        self.unless_empty(there, "OpenClawInstance")
    }

    /// Refuses inputs without anything of the operator's API.
    pub(super) fn ours(self) -> Result<Self, InputError> {
        let there = !self.agents.is_empty() || self.has_others;
        self.unless_empty(there, "OpenClawInstance, nor anything else of the operator's API")
    }

    /// Returns the objects of all instances.
    pub(super) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.agents.iter().flat_map(|agent| &agent.objects)
    }

    /// Returns whether an instance cannot be rendered.
    pub(super) fn has_errors(&self) -> bool {
        self.files.iter().any(|file| file.gravest() == Some(Severity::Error))
    }

    fn unless_empty(self, there: bool, wanted: &'static str) -> Result<Self, InputError> {
        match self.files.first() {
            Some(file) if !there && !self.has_errors() => {
                Err(InputError::Nothing { path: PathBuf::from(&file.name), wanted })
            }
            _ => Ok(self),
        }
    }
}

/// An instance and what it makes.
pub(super) struct Agent {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) instance: OpenClawInstance,
    /// In the order in which they are applied; none if something is wrong with the instance.
    pub(super) objects: Vec<Object>,
}

/// One file with what was found in it.
pub(crate) struct Checked {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Sorted, the gravest first.
    pub(crate) findings: Vec<Finding>,
}

/// A problem and where it stands.
pub(crate) struct Finding {
    pub(crate) problem: Problem,
    pub(crate) position: Option<Position>,
}

impl Checked {
    /// Returns the gravest severity.
    pub(crate) fn gravest(&self) -> Option<Severity> {
        self.findings.first().map(|finding| finding.problem.severity)
    }
}

/// Renders every instance of every input, for what the inputs themselves say of the world.
pub(super) fn preview(request: &Request<'_>) -> Result<Rendered, InputError> {
    render(request, |_| Ok(()))
}

/// Renders every instance of every input. `prepare` is given what is known before an instance is
/// rendered for it.
pub(super) fn render<E: From<InputError>>(
    request: &Request<'_>,
    prepare: impl Fn(&mut Observed) -> Result<(), E>,
) -> Result<Rendered, E> {
    let inputs = input::read(request.files, request.namespace)?;
    let settings = Settings::default();
    let mut agents = Vec::new();
    let mut found: Vec<Found<Problem>> = inputs.documents.problems.clone();
    let mut taken = BTreeSet::new();
    for of in &inputs.documents.instances {
        let Found { value: instance, document, within } = of;
        let metadata = &instance.metadata;
        let namespace = metadata.namespace.clone().unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
        let name = metadata.name.clone().unwrap_or_default();
        let mut observed = inputs.documents.observed(instance);
        prepare(&mut observed)?;
        let (rendered, mut problems) = render_instance(instance, &observed, &settings);
        // One that is given twice is told so as a whole.
        let is_new = |agent: &Agent| (&agent.namespace, &agent.name) != (&namespace, &name);
        if agents.last().is_none_or(is_new) {
            problems.extend(doubled(&rendered, &mut taken));
        }
        agents.push(Agent { namespace, name, instance: instance.clone(), objects: rendered });
        found.extend(problems.into_iter().map(|problem| Found {
            value: inputs.documents.told(of, problem),
            document: *document,
            within: within.clone(),
        }));
    }
    let refused = inputs.documents.refused_by_schema.iter();
    let refused: Vec<_> = refused.filter(|refused| !is_said(refused, &found)).cloned().collect();
    found.extend(refused);
    let has_others = inputs.documents.has_others;
    let files = by_file(inputs, found, request.errors);
    Ok(Rendered { agents, files, has_others })
}

/// Whether something is said of the same place already, or an error of what is around or within it:
/// better than a schema does, which knows no reasons.
fn is_said(refused: &Found<Problem>, found: &[Found<Problem>]) -> bool {
    let is_within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    let path = refused.value.path.as_str();
    let mut same =
        found.iter().filter(|it| (it.document, &it.within) == (refused.document, &refused.within));
    same.any(|it| {
        let other = it.value.path.as_str();
        let is_near = is_within(path, other) || is_within(other, path);
        other == path || it.value.severity == Severity::Error && is_near
    })
}

fn by_file(inputs: Inputs, found: Vec<Found<Problem>>, errors: &[Rule]) -> Vec<Checked> {
    let mut findings: Vec<Vec<Finding>> = Vec::new();
    findings.resize_with(inputs.files.len(), Vec::new);
    for mut found in found {
        if errors.contains(&found.value.rule) {
            found.value.severity = Severity::Error;
        }
        let position = inputs.position(&found, &found.value.path);
        if let Some(findings) = findings.get_mut(inputs.file_of(&found)) {
            findings.push(Finding { problem: found.value, position });
        }
    }
    let files = inputs.files.into_iter().zip(findings).map(|(file, mut findings)| {
        findings.extend(file.problem.map(|(problem, position)| Finding { problem, position }));
        findings.sort_by(|left, right| {
            let order = |it: &Finding| {
                let line = it.position.as_ref().map_or(0, |position| position.line);
                (it.problem.severity, line)
            };
            order(left).cmp(&order(right)).then_with(|| left.problem.cmp(&right.problem))
        });
        findings.dedup_by(|left, right| {
            left.problem == right.problem && left.position == right.position
        });
        Checked { name: file.name, text: file.text, findings }
    });
    files.collect()
}

/// Two instances may ask for objects of one name, `a-config` by instance `a` and by `a-config`.
fn doubled<'a>(
    objects: &'a [Object],
    taken: &'a mut BTreeSet<(String, openclaw_render::ObjectKey)>,
) -> impl Iterator<Item = Problem> + use<'a> {
    objects.iter().filter_map(|object| {
        let (namespace, key) = (object.namespace(), object.key());
        if taken.insert((namespace.to_owned(), key.clone())) {
            return None;
        }
        Some(Problem::error(
            "metadata.name",
            Rule::Invalid,
            format!("two instances make {key} in namespace {namespace}: rename one of them"),
        ))
    })
}

/// Returns the name of an object as `kubectl get -o name` writes it.
pub(super) fn name(object: &Object) -> String {
    let kind = object.kind();
    let group = kind.api_version().split_once('/').map_or("", |(group, _)| group);
    let dot = if group.is_empty() { "" } else { "." };
    format!("{}{dot}{group}/{}", kind.as_str().to_lowercase(), object.name())
}
