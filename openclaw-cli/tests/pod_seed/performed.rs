//! Plans that are performed: modes, policies, the helper, and what was there before.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::pod::{PROGRAM, Pod, directory, file, one_file, plan};

#[test]
fn a_plan_is_performed_with_exact_modes_whatever_the_umask() {
    let pod = Pod::new(&plan(
        &json!([
            directory("home", "0700"),
            directory("home/tmp", "1777"),
            { "root": "scratch", "path": "cache", "mode": "0770" },
        ]),
        &json!([
            { "root": "data", "path": "home/a/b/tool.sh", "key": "one", "mode": "0755",
              "policy": "converge" },
            { "root": "data", "path": "home/secret", "key": "raw", "mode": "0600",
              "policy": "createOnly" },
            { "root": "scratch", "path": "open", "key": "two", "mode": "0666",
              "policy": "createOnly" },
        ]),
    ));
    for mask in ["000", "077", "027"] {
        let status = Command::new("sh")
            .args(["-c", &format!("umask {mask}; exec \"$0\" \"$@\""), PROGRAM])
            .args(pod.arguments())
            .status()
            .unwrap();
        assert!(status.success());
        for (path, mode) in [
            ("data/home", 0o700),
            ("data/home/tmp", 0o1777),
            ("scratch/cache", 0o770),
            ("data/home/a", 0o755),
            ("data/home/a/b", 0o755),
            ("data/home/a/b/tool.sh", 0o755),
            ("data/home/secret", 0o600),
            ("scratch/open", 0o666),
        ] {
            assert_eq!(pod.mode(path), mode, "{path} with umask {mask}");
        }
        assert_eq!(pod.read("data/home/a/b/tool.sh"), "first");
        assert_eq!(pod.read("data/home/secret"), "\u{0}\u{1}");
        for root in ["data", "scratch"] {
            fs::remove_dir_all(pod.path(root)).unwrap();
            fs::create_dir(pod.path(root)).unwrap();
        }
    }
}

#[test]
fn a_second_run_changes_nothing() {
    let pod = Pod::new(&plan(
        &json!([directory("home", "0700")]),
        &json!([file("home/a", "one", "converge"), file("home/b", "two", "createOnly")]),
    ));
    pod.run().success();
    let inodes = |pod: &Pod| -> Vec<_> {
        ["data/home", "data/home/a", "data/home/b", "bin", "bin/openclaw-cli"]
            .iter()
            .map(|path| {
                let metadata = pod.path(path).metadata().unwrap();
                (metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.ctime_nsec())
            })
            .collect()
    };
    let before = inodes(&pod);
    pod.run().success();
    assert_eq!(inodes(&pod), before);
}

#[test]
fn an_existing_directory_keeps_its_mode_and_content() {
    let pod = Pod::new(&plan(&json!([directory("home", "0700")]), &json!([])));
    fs::create_dir(pod.path("data/home")).unwrap();
    fs::set_permissions(pod.path("data/home"), Permissions::from_mode(0o751)).unwrap();
    fs::write(pod.path("data/home/mine"), "mine").unwrap();
    pod.run().success();
    assert_eq!(pod.mode("data/home"), 0o751);
    assert_eq!(pod.read("data/home/mine"), "mine");
}

#[test]
fn what_users_name_below_the_state_is_what_lies_in_home() {
    let directories = json!([
        directory("home", "0755"),
        directory("home/.cache", "0755"),
        directory("home/.local", "0755"),
        directory("home/.openclaw", "0700"),
    ]);
    let pod = Pod::new(&plan(&directories, &json!([])));
    fs::create_dir_all(pod.path("data/home/.openclaw/.cache/mine")).unwrap();
    pod.run().success();
    fs::create_dir(pod.path("data/home/.openclaw/.local/bin")).unwrap();
    fs::write(pod.path("data/home/.local/bin/tool"), "found").unwrap();
    assert_eq!(pod.read("data/home/.openclaw/.local/bin/tool"), "found");
    // The agent's own stays, and a directory of no plan is not made.
    assert!(pod.path("data/home/.openclaw/.cache/mine").is_dir());
    assert!(pod.path("data/home/.openclaw/.config").symlink_metadata().is_err());
    let before = pod.tree("data");
    pod.run().success();
    assert_eq!(pod.tree("data"), before);
}

#[test]
fn an_inherited_group_id_bit_is_kept() {
    let pod = Pod::new(&plan(&json!([directory("home", "0750")]), &json!([])));
    fs::set_permissions(pod.path("data"), Permissions::from_mode(0o2775)).unwrap();
    pod.run().success();
    assert_eq!(pod.mode("data/home"), 0o2750);
}

#[test]
fn a_create_only_file_keeps_what_the_agent_made_of_it() {
    let pod = one_file("notes.md", "createOnly");
    fs::write(pod.path("data/notes.md"), "mine").unwrap();
    pod.run().success();
    assert_eq!(pod.read("data/notes.md"), "mine");
}

#[test]
fn a_create_only_file_keeps_a_dangling_link() {
    let pod = one_file("notes.md", "createOnly");
    symlink("nowhere", pod.path("data/notes.md")).unwrap();
    pod.run().success();
    assert_eq!(fs::read_link(pod.path("data/notes.md")).unwrap(), Path::new("nowhere"));
    assert!(!pod.path("data/nowhere").exists());
}

#[test]
fn a_converging_file_is_replaced_when_its_bytes_differ() {
    let pod = one_file("notes.md", "converge");
    for old in ["fIrst", "longer than first", "", "f"] {
        fs::write(pod.path("data/notes.md"), old).unwrap();
        pod.run().success();
        assert_eq!(pod.read("data/notes.md"), "first", "{old:?}");
    }
}

#[test]
fn the_helper_is_copied_and_an_outdated_one_replaced() {
    let pod = Pod::with_plan_bytes(plan(&json!([]), &json!([])).to_string().as_bytes());
    fs::write(pod.path("bin/openclaw-cli"), "outdated").unwrap();
    pod.run().success();
    assert_eq!(pod.mode("bin/openclaw-cli"), 0o755);
    assert!(fs::read(pod.path("bin/openclaw-cli")).unwrap() == fs::read(PROGRAM).unwrap());
    assert!(
        Command::new(pod.path("bin/openclaw-cli")).arg("--version").status().unwrap().success()
    );
}
