//! What is not restored.

use std::fs;

use openclaw_render::backups::{Fetched, OTHER_ARCHIVE, STATE_ARCHIVE};

use super::super::super::swap::Layout;
use super::{Members, Stage, of_application, whole};

#[test]
fn what_is_wrong_is_said_by_name_and_changes_nothing() {
    let refused = |prepare: &dyn Fn(&Stage), words: &str| {
        let stage = Stage::new(Layout::Home);
        let before = stage.files();
        prepare(&stage);
        let said = stage.restore("one").expect_err("refused");
        assert!(said.contains(words), "{said:?} lacks {words:?}");
        assert_eq!(stage.files(), before, "{said}");
    };
    let other = |members: Members<'_>, words: &str| {
        refused(
            &|stage| {
                stage.pack(OTHER_ARCHIVE, members);
                stage.say(Fetched::Archive);
            },
            words,
        );
    };
    let state = ("openclaw.json", "{}");
    other(&[state, ("../evil", "x")], r#"member "../evil" leaves"#);
    other(&[state, ("a/../../evil", "x")], r#"member "a/../../evil" leaves"#);
    other(&[state, ("/etc/evil", "x")], r#"member "/etc/evil" leaves"#);
    other(&[state, ("l", "->/etc"), ("l/evil", "x")], r#"below ".openclaw/l", which is a link"#);
    other(&[state, ("h", "=>../../secret")], "is a link to \"../../secret\"");
    other(&[state, ("h", "=>/etc/passwd")], "is a link to \"/etc/passwd\"");
    let below = r#"below ".openclaw/l", which is a link"#;
    other(&[state, ("l", "->/etc"), ("b", "=>l"), ("b/evil", "x")], below);
    other(&[state, ("l", "->/etc"), ("b", "=>l/passwd")], below);
    other(&[("a/b/c/d/openclaw.json", "{}")], "none of a state directory");
    other(&[("a/openclaw.json", "{}"), ("b/openclaw.json", "{}")], "more than one state directory");
    refused(
        &|stage| {
            Stage::put(&stage.archives().join(OTHER_ARCHIVE), "no archive");
            stage.say(Fetched::Archive);
        },
        "damaged, or no gzipped tar archive",
    );
    refused(
        &|stage| {
            stage.pack(OTHER_ARCHIVE, &[state, ("a", &"x".repeat(100_000))]);
            let path = stage.archives().join(OTHER_ARCHIVE);
            let bytes = fs::read(&path).expect("read");
            // All content is there, and the checksum is not.
            fs::write(&path, &bytes[..bytes.len() - 8]).expect("written");
            stage.say(Fetched::Archive);
        },
        "damaged",
    );
    refused(
        &|stage| {
            whole(stage);
            let path = stage.archives().join(STATE_ARCHIVE);
            let mut bytes = fs::read(&path).expect("read");
            *bytes.last_mut().expect("a byte") ^= 1;
            fs::write(path, bytes).expect("written");
        },
        r#""state.tar.gz" is damaged"#,
    );
    refused(
        &|stage| {
            stage.backup("2026.9.8", &[("a", "->/etc")], &[("x", "")]);
            stage.image("2026.9.7");
        },
        "the data is of 2026.9.8, and the image has 2026.9.7",
    );
    // A link of one archive leads the other one nowhere.
    let below = of_application("w/evil");
    refused(
        &|stage| stage.backup("2026.9.6", &[(".openclaw/w", "->/etc")], &[(&below, "x")]),
        "which is a link",
    );
    refused(&|stage| Stage::put(&stage.archives().join("x"), ""), "fetched.json");
}

#[test]
fn a_backup_that_is_being_made_is_not_torn_apart() {
    let stage = Stage::new(Layout::Home);
    whole(&stage);
    let _lock = super::super::create::lock(&stage.state()).expect("locked");
    let before = stage.files();
    let said = stage.restore("one").expect_err("refused");
    assert!(said.contains("a backup of what is there is being made"), "{said}");
    assert_eq!(stage.files(), before);
}

/// An instance that is made anew knows nothing of what was restored for the one before.
#[test]
fn what_was_restored_last_is_not_restored_by_another_attempt() {
    let stage = Stage::new(Layout::Home);
    whole(&stage);
    stage.restore_from("one", "backups/agents/ada/x").expect("restored");
    Stage::put(&stage.state().join("workspace/NEW.md"), "newer");
    let files = stage.files();
    stage.restore_from("two", "backups/agents/ada/x").expect("nothing to do");
    assert_eq!(stage.files(), files);
}
