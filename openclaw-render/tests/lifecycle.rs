//! Scenes of `fixtures/lifecycle` as transcripts: what the operator sees, does and says, pass by
//! pass, until it comes to rest.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests read fixtures, and what is missing in a test is a failed test"
)]

mod support;

use support::scenes::scenes;

#[test]
fn every_scene_plays_as_written() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/lifecycle");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, scene) in scenes() {
        let transcript = scene.play();
        assert_eq!(transcript.wrong, None, "{name}");
        settings.bind(|| insta::assert_snapshot!(name, transcript.to_string()));
    }
}
