//! The configuration of a migration: of the agent's own, only which agents there are and where their
//! state lies.
//!
//! The agent's file is read-only, and `doctor --fix` writes to what it is given. With channels,
//! plugins or model providers in it, it would fetch packages and need secrets (measured with
//! 2026.9.6 and no network: 296 s, and a failure; without them 12 s).

use std::ffi::OsStr;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use openclaw_render::seed::read_configuration;
use serde_json::{Map, Value, json};

use crate::pod::folder::{Folder, FolderError};
use crate::pod::read_mounted;

const NAME: &str = "openclaw.json";

/// What an agent's entry says of its state.
const OF_AN_AGENT: &[&str] = &["id", "default", "workspace", "agentDir"];
/// What the defaults of all agents say of it.
const OF_ALL_AGENTS: &[&str] = &["workspace", "sessionStore", "systemAgent"];

/// Writes it into a directory of this attempt's own: what an earlier one left beside its file would
/// be taken for a backup and restored.
pub(super) fn write(config: &Path, work_dir: &Path, attempt: u32) -> Result<PathBuf, FolderError> {
    let bytes = read_mounted(config).unwrap_or_default();
    // Nothing in it that cannot be read is needed: then the state lies where it does by default.
    let document = read_configuration(&String::from_utf8_lossy(&bytes)).unwrap_or_default();
    let content = serde_json::to_vec(&reduced(&document)).unwrap_or_default();
    let name = format!("attempt-{attempt}");
    let folder = Folder::open(work_dir)?.make(&name, 0o700)?;
    folder.replace(OsStr::new(NAME), 0o600, &mut Cursor::new(content))?;
    Ok(work_dir.join(name).join(NAME))
}

fn reduced(document: &Value) -> Value {
    let mut reduced = Map::new();
    reduced.insert("gateway".to_owned(), json!({"mode": "local"}));
    // Keys of sessions are made of what stands here.
    if let Some(session) = document.get("session") {
        reduced.insert("session".to_owned(), session.clone());
    }
    let agents = document.get("agents").map(agents).unwrap_or_default();
    if !agents.is_empty() {
        reduced.insert("agents".to_owned(), Value::Object(agents));
    }
    Value::Object(reduced)
}

fn agents(agents: &Value) -> Map<String, Value> {
    let mut reduced = Map::new();
    if let Some(ownership) = agents.get("ownership") {
        reduced.insert("ownership".to_owned(), ownership.clone());
    }
    if let Some(entries) = agents.get("entries").and_then(Value::as_object) {
        let entries = entries.iter().map(|(id, entry)| (id.clone(), only(entry, OF_AN_AGENT)));
        reduced.insert("entries".to_owned(), Value::Object(entries.collect()));
    }
    // As versions before 2026.8.1 have it.
    if let Some(list) = agents.get("list").and_then(Value::as_array) {
        let list = list.iter().map(|entry| only(entry, OF_AN_AGENT)).collect();
        reduced.insert("list".to_owned(), Value::Array(list));
    }
    if let Some(defaults) = agents.get("defaults") {
        reduced.insert("defaults".to_owned(), only(defaults, OF_ALL_AGENTS));
    }
    reduced
}

fn only(value: &Value, keys: &[&str]) -> Value {
    let fields = value.as_object().into_iter().flatten();
    let kept = fields.filter(|(key, _)| keys.contains(&key.as_str()));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::reduced;

    #[test]
    fn what_needs_a_network_or_a_secret_is_left_out_and_where_state_lies_is_kept() {
        let document = json!({
            "gateway": {"mode": "local", "auth": {"token": "secret"}},
            "channels": {"telegram": {"botToken": "secret"}},
            "plugins": {"entries": {"discord": {"enabled": true}}},
            "models": {"providers": {"x": {"apiKey": "secret"}}},
            "mcp": {"servers": {"far": {"url": "https://far.example.com"}}},
            "session": {"scope": "per-sender"},
            "agents": {
                "ownership": "explicit",
                "defaults": {"model": {"primary": "x/m"}, "workspace": "/w", "sandbox": {}},
                "entries": {"ada": {"workspace": "/w/ada", "model": "x/m"}, "bea": {}},
                "list": [{"id": "cyd", "agentDir": "/a", "tools": {}}],
            },
        });
        let expected = json!({
            "gateway": {"mode": "local"},
            "session": {"scope": "per-sender"},
            "agents": {
                "ownership": "explicit",
                "defaults": {"workspace": "/w"},
                "entries": {"ada": {"workspace": "/w/ada"}, "bea": {}},
                "list": [{"id": "cyd", "agentDir": "/a"}],
            },
        });
        assert_eq!(reduced(&document), expected);
    }

    #[test]
    fn a_configuration_of_any_other_form_leaves_the_defaults() {
        let least = json!({"gateway": {"mode": "local"}});
        for document in [json!(null), json!([]), json!({}), json!({"agents": 1})] {
            assert_eq!(reduced(&document), least, "{document}");
        }
    }
}
