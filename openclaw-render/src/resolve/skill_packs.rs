//! Skill packs: what of them is known, what goes into which workspace, and what is fetched.
//!
//! What was fetched is kept in a ConfigMap for each revision, so that it outlives the operator and
//! outages of GitHub. What is not known takes nothing away: the last good content stays.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::context::Resolving;
use super::extensions::PACK;
use super::workspace::{self, AROUND_FILE, Workspaces};
use crate::api::ConditionType::SkillPacksReady;
use crate::api::{OpenClawInstanceSpec, SkillPackUpdatePolicy};
use crate::object::{Kind, ObjectKey};
use crate::observed::Fact;
use crate::packs::{Pack, PackFile, PackReference, WantedPack};
use crate::problem::{Problem, Rule};
use crate::vocab::names::{self, InstanceName};

/// Skill packs of one agent.
const MAX_PACKS: usize = 10;
/// What a ConfigMap holds, less what the plan and the operator's own files take.
const ROOM: usize = (1 << 20) - 160 * 1024;

/// The skill packs of an instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SkillPacks {
    /// What workspaces get, by their names.
    pub(crate) of_workspaces: BTreeMap<String, PackShare>,
    /// What is added to `skills.entries` of openclaw.json.
    pub(crate) entries: Map<String, Value>,
    /// Every revision that is in use, and the ConfigMap that keeps it.
    pub(crate) revisions: BTreeMap<String, Pack>,
    /// What is to be fetched, or looked up again.
    pub(crate) wanted: Vec<WantedPack>,
    /// Whether nobody has answered yet for a pack of which nothing is known.
    pub(crate) is_pending: bool,
    pub(crate) policy: SkillPackUpdatePolicy,
}

impl SkillPacks {
    /// Whether no pack is asked for.
    pub(crate) fn is_unused(&self) -> bool {
        self.wanted.is_empty() && self.revisions.is_empty()
    }
}

/// What a workspace gets of packs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PackShare {
    pub(crate) files: BTreeMap<String, PackFile>,
    pub(crate) directories: BTreeSet<String>,
}

impl PackShare {
    /// Takes in what a pack brings. Returns what has no place beside what others brought.
    fn take(&mut self, pack: &Pack) -> Vec<String> {
        let mut left_out = Vec::new();
        for (path, file) in &pack.files {
            let is_free = !self
                .directories
                .iter()
                .any(|other| other == path || is_below(other, path))
                && !self.files.keys().any(|other| is_below(path, other) || is_below(other, path));
            if is_free {
                self.files.insert(path.clone(), file.clone());
            } else {
                left_out.push(path.clone());
            }
        }
        for path in &pack.directories {
            if self.files.keys().any(|other| other == path || is_below(path, other)) {
                left_out.push(path.clone());
            } else {
                self.directories.insert(path.clone());
            }
        }
        left_out
    }
}

fn is_below(below: &str, above: &str) -> bool {
    below.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// Returns how many bytes a pack takes where it is handed over, roughly. Every directory is there with
/// all above it.
fn size(pack: &Pack) -> usize {
    let files = pack.files.iter().map(|(path, file)| path.len() + file.size() + AROUND_FILE);
    let directories = pack.directories.iter();
    let directories =
        directories.map(|path| (path.matches('/').count() + 1) * (path.len() + AROUND_FILE));
    files.chain(directories).sum()
}

/// An entry of the spec.
struct Asked {
    path: String,
    workspace: String,
    reference: PackReference,
}

pub(super) fn resolve(
    name: &InstanceName,
    uid: Option<&str>,
    spec: &OpenClawInstanceSpec,
    workspaces: &Workspaces,
    cx: &mut Resolving<'_>,
) -> SkillPacks {
    cx.about(SkillPacksReady, |cx| {
        let policy = spec.skill_pack_update_policy.unwrap_or_default();
        let mut packs = SkillPacks { policy, ..SkillPacks::default() };
        let asked = asked(spec, cx);
        let kept = kept(name, uid, cx);
        let mut known: BTreeMap<PackReference, Pack> = BTreeMap::new();
        let mut looked_at = BTreeSet::new();
        // What could not be used is not kept either: whatever is kept is read in every pass.
        let mut left = ROOM;
        for Asked { path, reference, .. } in &asked {
            if !looked_at.contains(reference) && looked_at.len() == MAX_PACKS {
                let message = format!(
                    "{reference} is left out: an agent has {MAX_PACKS} skill packs at most"
                );
                cx.push(Problem::advice(path, Rule::Missing, message));
                continue;
            }
            if looked_at.insert(reference.clone())
                && let Some(pack) = one(path, reference, &kept, &mut packs, cx)
            {
                let size = size(&pack);
                let Some(rest) = left.checked_sub(size) else {
                    let message = format!(
                        "{reference} has no room beside the other skill packs: it takes {size} \
                         bytes, and {left} are left"
                    );
                    cx.push(Problem::advice(path, Rule::Missing, message));
                    continue;
                };
                left = rest;
                packs.revisions.insert(name.pack(&pack.source, &content(&pack)), pack.clone());
                known.insert(reference.clone(), pack);
            }
        }
        let mut room = ROOM.saturating_sub(workspaces.bytes());
        // Later ones win, whatever the order in the spec.
        let mut asked = asked;
        asked.sort_by(|left, right| left.reference.cmp(&right.reference));
        for Asked { path, workspace, reference } in &asked {
            let Some(pack) = known.get(reference) else { continue };
            let size = size(pack);
            if size > room {
                let message = format!(
                    "{reference} has no room in the workspace's ConfigMap beside everything else: \
                     it takes {size} bytes, and {room} are left"
                );
                cx.push(Problem::advice(path, Rule::Missing, message));
                continue;
            }
            room -= size;
            let share = packs.of_workspaces.entry(workspace.clone()).or_default();
            for left_out in share.take(pack) {
                let message = format!(
                    "{left_out:?} of {reference} is left out: another pack has a file where it has \
                     a directory, or the other way round"
                );
                cx.push(Problem::advice(path, Rule::Missing, message));
            }
            packs.entries.extend(pack.entries.clone());
        }
        packs
    })
}

/// Returns a revision as its ConfigMap holds it.
pub(crate) fn content(pack: &Pack) -> String {
    serde_json::to_string(pack).unwrap_or_default()
}

/// Reads the entries of the spec.
fn asked(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    let additional = spec.workspace.as_ref().and_then(|it| it.additional_workspaces.as_ref());
    let additional = additional.into_iter().flatten().enumerate().map(|(index, workspace)| {
        let path = format!("spec.workspace.additionalWorkspaces[{index}].skills");
        (path, workspace.name.as_str(), workspace.skills.as_ref())
    });
    let default = ("spec.skills".to_owned(), "", spec.skills.as_ref());
    for (path, workspace, skills) in std::iter::once(default).chain(additional) {
        for (index, entry) in skills.into_iter().flatten().enumerate() {
            let Some(text) = entry.strip_prefix(PACK) else { continue };
            let path = format!("{path}[{index}]");
            let Ok(reference) = PackReference::parse(text) else { continue };
            let other = all.iter().find(|other| {
                other.workspace == workspace && other.reference.is_same_folder(&reference)
            });
            match other {
                Some(other) if other.reference != reference => {
                    let other = &other.reference;
                    cx.error(
                        path,
                        format!("{entry:?} and `{PACK}{other}` are one pack: keep one of them"),
                    );
                }
                Some(_) => {}
                None => all.push(Asked { path, workspace: workspace.to_owned(), reference }),
            }
        }
    }
    all
}

/// Returns the revisions that the cluster keeps for the instance. What somebody has changed there is
/// none: its name says what it must hold.
fn kept(name: &InstanceName, uid: Option<&str>, cx: &mut Resolving<'_>) -> Vec<Pack> {
    let prefix = name.packs();
    let observed = cx.observed;
    let is_kept = |key: &&ObjectKey| key.kind == Kind::ConfigMap && key.name.starts_with(&prefix);
    let mut all = Vec::new();
    for key in observed.objects.keys().filter(is_kept) {
        let is_ours = observed
            .objects
            .get(key)
            .and_then(Fact::known)
            .is_some_and(|seen| seen.is_controlled_by(uid) && seen.labelled && !seen.deleting);
        if !is_ours {
            continue;
        }
        cx.refer(Kind::ConfigMap, &key.name);
        let texts = observed.config_maps.get(&key.name).and_then(Fact::known);
        let text = texts.and_then(|texts| texts.get(names::PACK_KEY));
        let pack = text.and_then(|text| serde_json::from_str::<Pack>(text).ok());
        all.extend(pack.filter(|pack| name.pack(&pack.source, &content(pack)) == key.name));
    }
    all
}

/// Returns what is known of a pack, and says what is not.
fn one(
    path: &str,
    reference: &PackReference,
    kept: &[Pack],
    packs: &mut SkillPacks,
    cx: &mut Resolving<'_>,
) -> Option<Pack> {
    let allowed = &cx.settings.skill_pack_sources;
    if !allowed.is_empty() && !allowed.iter().any(|line| reference.is_of(line)) {
        cx.push(Problem::advice(
            path,
            Rule::Missing,
            format!(
                "{} is not among the repositories that the operator's `skillPacks.allowedSources` \
             names: have it added there",
                reference.repository()
            ),
        ));
        return None;
    }
    let source = reference.to_string();
    let same = kept.iter().find(|pack| pack.source == source);
    let held = same.map(|pack| pack.commit.clone());
    packs.wanted.push(WantedPack { reference: reference.clone(), held });
    let seen = cx.observed.packs.get(&source);
    let fetched = seen.and_then(|seen| seen.pack.as_ref()).filter(|pack| pack.source == source);
    // Until the new revision that is asked for is known, the one before stays.
    let before = || {
        let of_folder = |pack: &&Pack| {
            PackReference::parse(&pack.source).is_ok_and(|other| other.is_same_folder(reference))
        };
        kept.iter().find(of_folder)
    };
    let pack = fetched.or(same).or_else(before);
    let failure = seen.and_then(|seen| seen.failure.as_ref());
    let stays = match pack {
        Some(pack) if pack.source == source => {
            format!("; what was fetched before stays, commit {}", pack.commit)
        }
        Some(pack) => format!("; {} stays until then", pack.source),
        None => "; the agent starts without it".to_owned(),
    };
    match (failure, pack) {
        (Some(failure), _) => {
            cx.push(Problem::advice(path, Rule::Missing, format!("{source} {failure}{stays}")));
        }
        (None, Some(pack)) if pack.source == source => {}
        (None, pack) => {
            packs.is_pending |= pack.is_none();
            let message = match pack {
                Some(pack) => {
                    format!("{source} is being fetched; {} stays until then", pack.source)
                }
                None => format!("{source} was not fetched: what is in it is not known here"),
            };
            cx.push(Problem::advice(path, Rule::Unknown, message));
        }
    }
    pack.cloned()
}

/// Names of files that a pack may bring: none of the operator's own.
pub(crate) fn check_file(path: &str) -> Result<(), String> {
    workspace::check_file(path)?;
    let first = path.split('/').next().unwrap_or_default();
    let is_ours = first == names::ENVIRONMENT_FILE || names::SELF_CONFIG_FILES.contains(&first);
    if is_ours { Err("is the operator's".to_owned()) } else { Ok(()) }
}
