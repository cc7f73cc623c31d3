//! Every refusal in the source is said by some test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{
    fixtures, hostile, in_a_namespace_that_cannot_be, metadata, own_objects_in_an_unknown_state,
    raw_that_is_no_object, too_deep, too_large, too_many_to_trust,
};

/// Calls whose message comes from elsewhere: file, and the call without white space.
const MESSAGE_FROM_ELSEWHERE: &[(&str, &str)] = &[
    // What the parser says.
    ("base_config.rs", "path,message.replace('\\n',\"\")"),
    // `refused_downgrade` in the same file; fixture `downgrade`.
    ("downgrade.rs", "\"spec.image\",message"),
    // What the limits of single values say; every one is broken by the tests beside them.
    ("bounds.rs", "place.path(),Rule::Invalid,message"),
    // The calls themselves, as all other files make them.
    ("context.rs", "path,Rule::Invalid,message"),
    ("context.rs", "path,Rule::Missing,message"),
    ("context.rs", "path,Rule::MissingKey,message"),
    ("context.rs", "path,message"),
    // What is missing, in one wording; fixture `secrets-missing`.
    ("context.rs", "path,severity,message"),
    // What becomes of a key; fixtures `config-keys` and `config-root-key`.
    ("eras/mod.rs", "shown,message"),
    // What `InstanceName::new` says; fixtures `name` and `name-too-long`.
    ("mod.rs", "\"metadata.name\",reason"),
    // What the measuring of depth says; `too_deep`.
    ("mod.rs", "RAW,Rule::Invalid,nesting::too_deep()"),
    // What `not_a_network` in the same file says; fixture `network-policy`.
    ("network_policy.rs", "path,not_a_network(&cidr)"),
    // What the checks of peers and ports say; the same fixture.
    ("network_policy.rs", "format!(\"{path}{field}\"),message"),
    ("network_policy.rs", "path,reason"),
    // Why the shared storage is not there, which the operator knows; `tests/sharing.rs`.
    ("shared_storage.rs", "path,Severity::Advice,message"),
    // What the check of paths says; fixtures `workspace` and `workspaces`.
    ("workspace.rs", "format!(\"{path}.initialFiles[{file:?}]\"),reason"),
    (
        "workspace.rs",
        "format!(\"{path}.initialDirectories[{index}]\"),format!(\"{directory:?}{reason}\")",
    ),
    // A message in a name; fixture `workspaces`.
    ("workspace.rs", "format!(\"{path}.name\"),message"),
];

/// The honest way to know that every message is produced: read the messages out of the source.
#[test]
fn every_refusal_in_the_source_is_said_by_some_test() {
    let mut said: Vec<String> = fixtures::all("invalid")
        .iter()
        .flat_map(|fixture| fixture.render().1)
        .map(|problem| problem.to_string())
        .collect();
    said.extend(too_large());
    said.extend(too_many_to_trust());
    said.extend(too_deep());
    said.extend(in_a_namespace_that_cannot_be());
    said.extend(raw_that_is_no_object());
    said.extend(own_objects_in_an_unknown_state());
    said.extend(hostile::said());
    said.extend(metadata::said());

    let mut unsaid = Vec::new();
    let mut elsewhere = BTreeSet::new();
    let mut calls = 0;
    for (file, call) in refusals() {
        calls += 1;
        let Some(fragment) = message_fragment(&call) else {
            let call: String = call.split_whitespace().collect();
            let call = call.trim_end_matches(',').to_owned();
            elsewhere.insert((file, call));
            continue;
        };
        if !said.iter().any(|message| message.contains(&fragment)) {
            unsaid.push(format!("{file}: {fragment:?}"));
        }
    }
    assert!(calls > 40, "the source is read wrongly: {calls} calls");
    assert_eq!(unsaid, Vec::<String>::new(), "no fixture says this");
    let listed =
        MESSAGE_FROM_ELSEWHERE.iter().map(|(file, call)| ((*file).to_owned(), (*call).to_owned()));
    assert_eq!(elsewhere, listed.collect(), "calls without a message of their own");
}

/// How calls that refuse begin.
const REFUSALS: [&str; 6] = [
    ".error(",
    "Problem::error(",
    ".missing(",
    ".missing_key(",
    ".will_not_start(",
    "Problem::will_not_start(",
];

/// Arguments of every call that refuses, with the file's name.
fn refusals() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resolve");
    let mut files = fixtures::names_in(&folder);
    while let Some(file) = files.pop_first() {
        let path = folder.join(&file);
        if path.is_dir() {
            let inner = fixtures::names_in(&path);
            files.extend(inner.into_iter().map(|name| format!("{file}/{name}")));
            continue;
        }
        let text = fs::read_to_string(path).expect("the source is readable");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        for opening in REFUSALS {
            for (start, _) in text.match_indices(opening) {
                let arguments = balanced(&text[start + opening.len()..]);
                found.push((file.clone(), arguments.to_owned()));
            }
        }
    }
    found
}

/// Text up to the parenthesis that closes, those in string literals aside.
fn balanced(text: &str) -> &str {
    let mut depth = 1;
    let mut quoted = false;
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..index];
        }
    }
    panic!("no end: {text}")
}

/// The longest stretch of a message that is the same for every value in it.
fn message_fragment(call: &str) -> Option<String> {
    let literals = string_literals(call);
    let pieces = literals.iter().flat_map(|literal| literal.split(['{', '}']));
    // What stands between two braces is a name or a format.
    let longest = pieces.filter(|piece| piece.trim().contains(' ')).max_by_key(|piece| piece.len());
    longest.map(ToOwned::to_owned)
}

fn string_literals(code: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut characters = code.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '"' {
            continue;
        }
        let mut literal = String::new();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => match characters.next() {
                    // A line break that is not there.
                    Some('\n') => {
                        while characters.next_if(|next| next.is_whitespace()).is_some() {}
                    }
                    Some('n') => literal.push('\n'),
                    Some(other) => literal.push(other),
                    None => {}
                },
                other => literal.push(other),
            }
        }
        literals.push(literal);
    }
    literals
}
