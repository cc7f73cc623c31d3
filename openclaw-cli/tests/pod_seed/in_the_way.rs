//! Links, pipes, files and directories in place of what a plan wants.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::json;

use crate::pod::{Pod, directory, file, one_file, plan};

#[test]
fn a_link_in_place_of_a_converging_file_is_replaced_and_its_target_left_alone() {
    let pod = one_file("notes.md", "converge");
    fs::write(pod.path("outside"), "outside").unwrap();
    symlink(pod.path("outside"), pod.path("data/notes.md")).unwrap();
    pod.run().success();
    assert_eq!(pod.read("outside"), "outside");
    assert!(pod.path("data/notes.md").symlink_metadata().unwrap().is_file());
    assert_eq!(pod.read("data/notes.md"), "first");
}

#[test]
fn a_pipe_in_place_of_a_converging_file_is_replaced_without_waiting_for_it() {
    let pod = one_file("notes.md", "converge");
    assert!(Command::new("mkfifo").arg(pod.path("data/notes.md")).status().unwrap().success());
    pod.run().success();
    assert_eq!(pod.read("data/notes.md"), "first");
}

#[test]
fn a_link_among_the_parents_is_never_followed() {
    for policy in ["createOnly", "converge"] {
        for planted in ["a", "a/b"] {
            let pod = one_file("a/b/notes.md", policy);
            fs::create_dir_all(pod.path("outside/b")).unwrap();
            if planted == "a/b" {
                fs::create_dir(pod.path("data/a")).unwrap();
            }
            symlink(pod.path("outside"), pod.path("data").join(planted)).unwrap();
            let outside = pod.tree("outside");
            // Where a file lay that is the agent's, the agent may have tidied up.
            let message = if policy == "createOnly" { pod.said() } else { pod.fail() };
            assert!(message.contains("it is a symbolic link, not a directory"), "{message}");
            assert!(message.contains(&format!("data/{planted}")), "{message}");
            assert_eq!(pod.tree("outside"), outside);
        }
    }
}

#[test]
fn home_and_the_state_must_be_directories() {
    for planted in ["home", "home/.openclaw"] {
        for link in [true, false] {
            let directories =
                json!([directory("home", "0755"), directory("home/.openclaw", "0700")]);
            let pod = Pod::new(&plan(&directories, &json!([])));
            let place = pod.path("data").join(planted);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::create_dir(pod.path("outside")).unwrap();
            if link {
                symlink(pod.path("outside"), &place).unwrap();
            } else {
                fs::write(&place, "mine").unwrap();
            }
            let message = pod.fail();
            let what = if link { "a symbolic link" } else { "a file" };
            let expected = format!("data/{planted}\": it is {what}, not a directory");
            assert!(message.contains(&expected), "{message}");
        }
    }
}

#[test]
fn what_the_agent_tidied_up_in_its_home_stays_and_stops_nothing() {
    let directories = json!([
        directory("home", "0755"),
        directory("home/.cache", "0755"),
        directory("home/.openclaw", "0700"),
        directory("home/.openclaw/workspace", "0755"),
        directory("home/.openclaw/workspace/notes/old", "0755"),
    ]);
    let files = json!([file("home/.openclaw/workspace/notes/a.md", "one", "createOnly")]);
    let pod = Pod::new(&plan(&directories, &files));
    pod.run().success();
    let workspace = pod.path("data/home/.openclaw/workspace");
    fs::remove_dir_all(&workspace).unwrap();
    fs::create_dir(pod.path("elsewhere")).unwrap();
    symlink(pod.path("elsewhere"), &workspace).unwrap();
    fs::remove_dir(pod.path("data/home/.cache")).unwrap();
    fs::write(pod.path("data/home/.cache"), "mine").unwrap();
    let said = pod.said();
    for left in ["home/.cache", "workspace", "workspace/notes/old", "workspace/notes/a.md"] {
        assert!(said.contains(&format!("{left} is left out: ")), "{left}: {said}");
    }
    assert_eq!(pod.read("data/home/.cache"), "mine");
    assert_eq!(fs::read_dir(pod.path("elsewhere")).unwrap().count(), 0);
    assert!(pod.path("bin/openclaw-cli").is_file());
}

#[test]
fn what_the_kubelet_would_not_mount_of_a_flat_volume_is_set_aside() {
    let pod = Pod::new(&plan(&json!([directory(".cache", "0755")]), &json!([])));
    fs::create_dir(pod.path("outside")).unwrap();
    symlink(pod.path("outside"), pod.path("data/.cache")).unwrap();
    let said = pod.said();
    assert!(said.contains(".cache was no directory and is .cache.set-aside-0 now"), "{said}");
    assert!(pod.path("data/.cache").symlink_metadata().unwrap().is_dir());
    assert_eq!(fs::read_link(pod.path("data/.cache.set-aside-0")).unwrap(), pod.path("outside"));
}

#[test]
fn a_directory_in_place_of_a_file_is_the_agents_or_an_error() {
    for policy in ["createOnly", "converge"] {
        let pod = one_file("notes.md", policy);
        fs::create_dir(pod.path("data/notes.md")).unwrap();
        if policy == "createOnly" {
            pod.run().success();
        } else {
            let message = pod.fail();
            assert!(message.contains("\"notes.md\": there is a directory"), "{message}");
        }
        assert!(pod.path("data/notes.md").is_dir());
    }
}
