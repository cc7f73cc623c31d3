//! The examples of the help texts, as a reader would run them.

use std::fs;

use assert_cmd::Command;
use tempfile::TempDir;

use crate::program::{MINIMAL, code, err, fixture, out, run};

/// The commands that the first help text lists.
fn commands() -> Vec<String> {
    let help = run(&["--help"]);
    let lines = out(&help).lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    names.filter(|name| !["help", "pod"].contains(&name.as_str())).collect()
}

/// What of an example is ours, as arguments.
fn arguments(example: &str) -> Vec<String> {
    let ours = example.split('|').map(str::trim).find(|part| part.starts_with("openclaw-cli "));
    let ours = ours.and_then(|part| part.split(" > ").next()).expect("a command of ours");
    let words = ours.split_whitespace().skip(1);
    // A shell does this.
    words.map(|word| word.replace("agents/*.yaml", "agents/ada.yaml")).collect()
}

#[test]
fn every_command_has_an_example_that_works() {
    let directory = TempDir::new().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    for name in ["ada.yaml", "agents/ada.yaml", "main/agents/ada.yaml"] {
        fs::create_dir_all(path(name).parent().expect("a folder")).expect("it is made");
        fs::write(path(name), MINIMAL).expect("it is written");
    }
    fs::copy(fixture("agent-instances/small.yaml"), path("agent.yaml")).expect("it is copied");
    fs::copy(fixture("lifecycle/create.yaml"), path("scene.yaml")).expect("it is copied");
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let help = run(&[&command, "--help"]);
        let is_example = |line: &&str| line.starts_with(' ') && line.contains("openclaw-cli ");
        let examples: Vec<&str> = out(&help).lines().filter(is_example).collect();
        assert!(!examples.is_empty(), "{command} has no example:\n{}", out(&help));
        for example in examples {
            let output = Command::cargo_bin("openclaw-cli")
                .expect("the program is built")
                .args(arguments(example))
                .current_dir(directory.path())
                .write_stdin(MINIMAL)
                .output()
                .expect("it runs");
            assert_eq!(code(&output), 0, "{example}: {}", err(&output));
        }
    }
}
