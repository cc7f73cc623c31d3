//! [`Shield`]: paths of a document that lead out of the scratch folder, hidden from the migration.
//!
//! `openclaw doctor --fix` follows paths of workspaces and stores and repairs what it finds there,
//! which would be the running agent's.

use serde_json::Value;

pub(super) struct Shield {
    /// Where hidden paths lead to instead: nothing is there.
    folder: String,
    hidden: Vec<String>,
}

impl Shield {
    pub(super) fn new(folder: String) -> Self {
        Self { folder, hidden: Vec::new() }
    }

    /// The document with absolute paths exchanged for paths in the folder. A relative one, and one
    /// below `~`, leads into the scratch folder already.
    pub(super) fn hide(&mut self, value: &Value) -> Value {
        map(value, &mut |text| {
            if !text.starts_with('/') && !text.starts_with("file:") {
                return None;
            }
            let known = self.hidden.iter().position(|hidden| hidden == text);
            let number = known.unwrap_or_else(|| {
                self.hidden.push(text.to_owned());
                self.hidden.len() - 1
            });
            Some(format!("{}/{number}", self.folder))
        })
    }

    /// The document with the true paths back in place.
    pub(super) fn show(&self, value: &Value) -> Value {
        map(value, &mut |text| {
            let number = text.strip_prefix(&self.folder)?.strip_prefix('/')?;
            self.hidden.get(number.parse::<usize>().ok()?).cloned()
        })
    }
}

/// The value with some of its strings exchanged.
fn map(value: &Value, exchange: &mut impl FnMut(&str) -> Option<String>) -> Value {
    match value {
        Value::String(text) => Value::String(exchange(text).unwrap_or_else(|| text.clone())),
        Value::Array(list) => list.iter().map(|value| map(value, exchange)).collect(),
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.clone(), map(value, exchange))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Shield;

    #[test]
    fn paths_are_hidden_and_come_back_from_another_place() {
        let document = json!({
            "agents": {"workspace": "/home/openclaw/w", "model": "anthropic/claude", "n": 1},
            "list": ["/home/openclaw/w", "~/x", "./y", "file:///etc", "https://example.com/"],
        });
        let mut shield = Shield::new("/sync/migration/outside".to_owned());
        let hidden = shield.hide(&document);
        assert!(!hidden.to_string().contains("/home") && !hidden.to_string().contains("/etc"));
        assert_eq!(hidden["agents"]["workspace"], hidden["list"][0]);
        assert_eq!(hidden["agents"]["model"], "anthropic/claude");
        assert_eq!(shield.show(&hidden), document);
        let moved = json!({"elsewhere": hidden["agents"]["workspace"]});
        assert_eq!(shield.show(&moved), json!({"elsewhere": "/home/openclaw/w"}));
        // What it never hid it does not show.
        let unknown = json!(["/sync/migration/outside/7", "/sync/migration/outside/x"]);
        assert_eq!(shield.show(&unknown), unknown);
    }
}
