//! `SkillPacksReady`: the skill packs are fetched. Said only where one is asked for.

use crate::api::{ConditionType as About, Reason};
use crate::problem::{Problem, Rule};
use crate::resolve::Resolved;
use crate::status::Statement;

pub(super) fn statement(resolved: Option<&Resolved>, problems: &[Problem]) -> Option<Statement> {
    let is_asked = resolved.is_some_and(|resolved| !resolved.skill_packs.is_unused());
    for (rule, reason) in
        [(Rule::Missing, Reason::PackNotFetched), (Rule::Unknown, Reason::PackUnknown)]
    {
        let is_it = |each: &Problem| each.about == About::SkillPacksReady && each.rule == rule;
        let found = super::texts(problems, is_it);
        if !found.is_empty() {
            return Some(Statement::new(About::SkillPacksReady, false, reason, found));
        }
    }
    let packs = &resolved.filter(|_| is_asked)?.skill_packs;
    let revisions: Vec<String> = packs
        .revisions
        .values()
        .map(|pack| format!("{} at {}", pack.source, pack.commit.get(..12).unwrap_or(&pack.commit)))
        .collect();
    let message = format!(
        "every skill pack is fetched, and its files are written when the next pod starts: {}",
        revisions.join(", ")
    );
    Some(Statement::new(About::SkillPacksReady, true, Reason::PacksFetched, message))
}
