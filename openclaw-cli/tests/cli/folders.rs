//! Folders into which is written, and nothing outside of them.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::program::{MINIMAL, code, err, file, files_below, out, run_with};

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = TempDir::new().expect("a directory");
    let path = file(&directory, "taken", "");
    let output = run_with(&["render", "-o", &format!("dir={path}"), "-"], MINIMAL.as_bytes());
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("failed to write"), "{}", err(&output));
}

#[test]
fn nothing_is_written_outside_of_the_directory() {
    for namespace in ["..", "../..", "/tmp/elsewhere", "a/../../b", "a/b", ".", "Agents", "a.b"] {
        let directory = TempDir::new().expect("a directory");
        let target = directory.path().join("a/b/out");
        let manifest = MINIMAL.replace("name: ada", &format!("name: ada, namespace: {namespace}"));
        let arguments = ["render", "-o", &format!("dir={}", target.display()), "-"];
        let output = run_with(&arguments, manifest.as_bytes());
        assert_eq!(code(&output), 1, "{namespace}");
        assert!(err(&output).contains("metadata.namespace: "), "{namespace}: {}", err(&output));
        assert_eq!(files_below(directory.path()), Vec::<PathBuf>::new(), "{namespace}");
        let checked = run_with(&["check", "-"], manifest.as_bytes());
        assert_eq!(code(&checked), 1, "{namespace}");
    }
    let given = run_with(&["render", "-n", "../x", "-"], MINIMAL.as_bytes());
    assert_eq!((code(&given), out(&given)), (1, ""));
}

#[test]
fn no_link_in_the_directory_is_followed() {
    let write = |target: &Path| {
        let arguments = ["render", "-o", &format!("dir={}", target.display()), "-"];
        run_with(&arguments, MINIMAL.as_bytes())
    };
    for link in ["default", "default/StatefulSet.ada.yaml"] {
        let directory = TempDir::new().expect("a directory");
        let (target, elsewhere) = (directory.path().join("out"), directory.path().join("else"));
        fs::create_dir_all(target.join(link).parent().expect("a folder")).expect("it is made");
        fs::create_dir(&elsewhere).expect("it is made");
        let victim = if link == "default" { elsewhere.clone() } else { elsewhere.join("file") };
        std::os::unix::fs::symlink(victim, target.join(link)).expect("it is linked");
        let output = write(&target);
        assert_eq!(code(&output), 1, "{link}");
        assert!(err(&output).contains("it is a symbolic link"), "{link}: {}", err(&output));
        assert_eq!(files_below(&elsewhere), Vec::<PathBuf>::new(), "{link}");
    }
    // The directory itself is where the user wants it.
    let directory = TempDir::new().expect("a directory");
    fs::create_dir(directory.path().join("real")).expect("it is made");
    let link = directory.path().join("link");
    std::os::unix::fs::symlink("real", &link).expect("it is linked");
    assert_eq!(code(&write(&link)), 0);
    assert!(directory.path().join("real/default/StatefulSet.ada.yaml").is_file());
}
