//! What is put on the volume before the application starts.

use serde_json::{Value, json};

use crate::support::agent::{Agent, NAME};
use crate::support::fixtures::Fixture;

const WORKSPACE: &str = "/home/openclaw/.openclaw/workspace";

fn files() -> Value {
    json!({"SOUL.md": "You are Ada.\n", "notes/first.md": "one\n"})
}

/// As many files as there may be, together little enough for a `ConfigMap`, and much enough for the
/// helper to be caught at.
const MORE: u64 = 48;

#[tokio::test]
async fn seeded_files_are_the_agents_and_a_kill_in_the_middle_of_seeding_is_recovered_from() {
    let workspace = json!({"initialFiles": files(), "initialDirectories": ["daily"]});
    let agent = Agent::ready("seeding", &json!({"workspace": workspace})).await;
    let stat = |path: &str| {
        let path = format!("{WORKSPACE}/{path}");
        agent.run(&["stat", "--format", "%u:%g %a %F", &path])
    };
    assert_eq!(stat("SOUL.md"), "1000:1000 644 regular file\n");
    // Folders of a volume with `fsGroup` hand their group down.
    assert_eq!(stat("daily"), "1000:1000 2755 directory\n");
    let soul = format!("{WORKSPACE}/SOUL.md");
    agent.run(&["sh", "-c", &format!("echo 'You are Grace.' >{soul}")]);

    let content = "a line of a note that was seeded\n".repeat(300);
    let all = content.len() as u64 * MORE;
    let name = |number: u64| format!("{number:02}.md");
    let file = |number: u64| (format!("more/{}", name(number)), json!(content));
    let more: Value = (0..MORE).map(file).collect();
    agent.change(&json!({"workspace": {"initialFiles": more}})).await;
    agent.cluster.until_observed(NAME).await;
    let first = agent.take_pod().await;
    let written = agent.kill_while_seeding(all / 2).await;
    assert!(written < all, "it had written everything: {written} bytes");
    agent.until_replaced(&first).await;
    let pod = agent.pod().await;
    let restarts = pod["status"]["initContainerStatuses"][0]["restartCount"].as_i64();
    assert_eq!(restarts, Some(1), "{:#}", pod["status"]["initContainerStatuses"]);
    let listed = agent.run(&["sh", "-c", &format!("ls -A {WORKSPACE}/more")]);
    let expected: String = (0..MORE).map(|number| name(number) + "\n").collect();
    assert_eq!(listed, expected);
    let size = agent.run(&["sh", "-c", &format!("cat {WORKSPACE}/more/* | wc -c")]);
    assert_eq!(size.trim(), all.to_string());
    // And what the agent had made of the others is as it left it.
    assert_eq!(agent.run(&["cat", &soul]), "You are Grace.\n");
    agent.end().await;
}

#[tokio::test]
async fn what_the_agent_has_bent_stays_and_is_named_and_nothing_is_written_elsewhere() {
    let agent = Agent::ready("bent", &json!({"workspace": {"initialFiles": files()}})).await;
    let plant = "mkdir ~/elsewhere && cd ~/.openclaw/workspace && \
                 rm -r notes SOUL.md && ln -s ~/elsewhere notes && mkdir SOUL.md";
    agent.run(&["sh", "-c", plant]);
    agent.delete_pod().await;
    let said = agent.log("init-config").await;
    let named = |line: &str| {
        line.contains("is left out: ") && line.contains("notes\": it is a symbolic link")
    };
    assert!(said.lines().any(named), "{said}");
    let kind = "stat --format %F ~/.openclaw/workspace/SOUL.md && ls ~/elsewhere";
    assert_eq!(agent.run(&["sh", "-c", kind]), "directory\n");
    agent.end().await;
}

#[tokio::test]
async fn a_path_out_of_the_workspace_is_refused_before_there_is_an_agent() {
    let agent = Agent::nobody("escape").await;
    let mut instance = Fixture::named("minimal").instance().clone();
    instance["spec"]["workspace"] = json!({"initialFiles": {"../../escape.md": "out\n"}});
    let refused = agent.cluster.apply(&instance).await.expect_err("the API server refuses it");
    assert!(refused.to_string().contains("spec.workspace.initialFiles"), "{refused}");
    agent.end().await;
}
