//! Skills and plugins, from a hub and a registry that come and go.

use serde_json::{Value, json};

use crate::support::agent::{Agent, NAME, lives};
use crate::support::cluster::condition_of;
use crate::support::hub::Hub;

/// Runs the program by the PATH of the application's first process.
const GREET: &str = r"PATH=$(tr '\0' '\n' </proc/1/environ | sed -n 's/^PATH=//p') greeter || true";

/// What the application lists: skills or plugins.
fn listed(agent: &Agent, what: &str) -> Vec<Value> {
    let printed = agent.run(&["openclaw", what, "list", "--json"]);
    let list: Value = serde_json::from_str(&printed).expect("JSON");
    list[what].as_array().expect("a list").clone()
}

/// Whether the application has the skills `weather` and `later`, the plugin, and the program.
fn has(agent: &Agent) -> [bool; 4] {
    let (skills, plugins) = (listed(agent, "skills"), listed(agent, "plugins"));
    // The application brings a skill `weather` along, too.
    let skill = |name| skills.iter().any(|it| it["name"] == name && it["bundled"] == false);
    let plugin = |id| plugins.iter().any(|it| it["id"] == id && it["status"] == "loaded");
    let greets = agent.run(&["sh", "-c", GREET]) == "Good morning.\n";
    [skill("weather"), skill("later"), plugin("tiny"), greets]
}

/// Changes the list of skills, and waits for the pod that has it.
async fn change(agent: &Agent, skills: &[&str]) {
    let (first, _) = lives(&agent.pod().await);
    agent.change(&json!({"skills": skills})).await;
    agent.until_replaced(&first).await;
}

async fn condition(agent: &Agent, about: &str) -> (Value, String) {
    let live = agent.instance().await;
    let found = condition_of(&live, about).expect("it is told");
    (found["status"].clone(), found["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn skills_and_plugins_are_installed_once_and_a_hub_that_is_down_stops_no_agent() {
    let agent = Agent::nobody("skills").await;
    let hub = Hub::beside(&agent).await;
    agent
        .ask(&json!({
            "skills": ["@acme/weather", "@acme/broken", "npm:greeter"],
            "plugins": ["npm:@acme/tiny"],
            "env": hub.variables(),
        }))
        .await;
    // What is broken is named, alone, and the agent has everything else.
    agent.cluster.until_ready(NAME).await;
    assert_eq!(has(&agent), [true, false, true, true]);
    let (status, named) = condition(&agent, "SkillsReady").await;
    assert_eq!(status, "False");
    assert!(named.contains("@acme/broken: ") && !named.contains("weather"), "{named}");
    assert_eq!(condition(&agent, "PluginsReady").await.0, "True");
    assert_eq!(hub.count("/api/v1/download?slug=weather").await, 1);
    // This owner's, and no other's.
    assert_eq!(hub.count("/weather/install?ownerHandle=acme").await, 1);

    // Nobody answers: what leaves the spec goes, what is new waits, and the rest runs.
    hub.stop(&agent).await;
    change(&agent, &["@acme/later", "npm:greeter"]).await;
    assert_eq!(has(&agent), [false, false, true, true]);
    let (status, named) = condition(&agent, "SkillsReady").await;
    assert_eq!(status, "False");
    assert!(named.contains("@acme/later: ") && !named.contains("broken"), "{named}");
    assert_eq!(condition(&agent, "PluginsReady").await.0, "True");

    // The hub is asked for what is not there, and for nothing else.
    hub.start(&agent).await;
    agent.delete_pod().await;
    agent.cluster.until_condition(NAME, "SkillsReady", "True").await;
    assert_eq!(has(&agent), [false, true, true, true]);
    assert_eq!(hub.count("slug=later").await, 1);
    for there in ["weather", "greeter", "tiny"] {
        assert_eq!(hub.count(there).await, 0, "{there}");
    }
    agent.end().await;
}
