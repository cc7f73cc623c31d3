//! `browser`: profiles that lead to the browser in the pod.

use serde_json::{Map, Value, json};

use super::object_at;
use crate::resolve::Resolved;
use crate::vocab::env;

/// Both are led to the browser: models often name `chrome` themselves.
const PROFILES: [&str; 2] = [DEFAULT_PROFILE, "chrome"];
const DEFAULT_PROFILE: &str = "default";
/// Required of a profile by versions that know it; without a meaning for what is drawn nowhere.
const COLOR: &str = "#4285F4";
/// The browser is near, and starts slowly at first.
const TIMEOUT_MILLISECONDS: u32 = 30_000;

/// The user's value wins, key by key. The address is a reference, so that a user's own variable of
/// that name wins, too.
pub(super) fn profiles(document: &mut Map<String, Value>, instance: &Resolved) {
    if instance.chromium.is_none() {
        return;
    }
    let details = instance.image.version.has_browser_details();
    let Some(browser) = object_at(document, "browser") else { return };
    // Otherwise a browser is looked for in the agent's own image, and the other one never asked.
    add(browser, "attachOnly", json!(true));
    add(browser, "defaultProfile", json!(DEFAULT_PROFILE));
    if details {
        add(browser, "remoteCdpTimeoutMs", json!(TIMEOUT_MILLISECONDS));
    }
    let Some(profiles) = object_at(browser, "profiles") else { return };
    for name in PROFILES {
        let Some(profile) = object_at(profiles, name) else { continue };
        let is_set = |key: &str| profile.get(key).is_some_and(|value| !value.is_null());
        if !is_set("cdpUrl") && !is_set("cdpPort") {
            profile.insert("cdpUrl".to_owned(), json!(format!("${{{}}}", env::CHROMIUM_CDP)));
        }
        if details {
            add(profile, "color", json!(COLOR));
        }
    }
}

fn add(object: &mut Map<String, Value>, key: &str, value: Value) {
    if object.get(key).is_none_or(Value::is_null) {
        object.insert(key.to_owned(), value);
    }
}
