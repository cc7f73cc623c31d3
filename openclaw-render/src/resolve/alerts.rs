//! Whether there are alerts about the agent, and where their runbooks are.

use std::collections::BTreeMap;

use super::context::Resolving;
use super::defaults::text;
use super::metadata::users_labels;
use super::stored_defaults;
use crate::api::{OpenClawInstance, OpenClawInstanceSpec};

const PATH: &str = "spec.observability.metrics.prometheusRule";
/// Pages of this repository, one for each alert.
const RUNBOOKS: &str = "https://github.com/openclaw-rs/openclaw-operator/blob/main/docs/runbooks";
const LONGEST_URL: usize = 512;

/// Alerts about the agent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alerts {
    /// The user's, none of which is ours.
    pub(crate) labels: BTreeMap<String, String>,
    /// Without a slash at its end; `None` for the pages of this repository.
    runbooks: Option<String>,
}

impl Alerts {
    /// Returns the address of what to do about an alert.
    pub(crate) fn runbook(&self, alert: &str) -> String {
        match &self.runbooks {
            Some(base) => format!("{base}/{alert}"),
            None => format!("{RUNBOOKS}/{alert}.md"),
        }
    }
}

/// Returns the alerts, if they are asked for.
pub(super) fn resolve(
    instance: &OpenClawInstance,
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> Option<Alerts> {
    let metrics = spec.observability.as_ref()?.metrics.as_ref()?;
    let rule = metrics.prometheus_rule.as_ref().filter(|rule| rule.enabled == Some(true))?;
    if metrics.enabled == Some(false) {
        cx.ineffective(format!("{PATH}.enabled"), "has no effect while `metrics.enabled` is false");
        return None;
    }
    let labels =
        users_labels(&format!("{PATH}.labels"), rule.labels.clone().unwrap_or_default(), cx);
    let field = ["spec", "observability", "metrics", "prometheusRule", "runbookBaseURL"];
    let runbooks = text(rule.runbook_base_url.as_ref())
        .filter(|_| !stored_defaults::is_stored(instance, &field));
    if let Some(url) = runbooks.filter(|url| !is_base(url)) {
        cx.error(
            format!("{PATH}.runbookBaseURL"),
            format!(
                "{url:?} is no address of pages: write an `http` or `https` URL of at most \
                 {LONGEST_URL} characters, without `?` and `#`"
            ),
        );
    }
    let runbooks = runbooks.map(|url| url.trim_end_matches('/').to_owned());
    Some(Alerts { labels, runbooks })
}

/// Whether a name can follow. Braces are not among the characters of a URL: Prometheus would run
/// what stands in them as a template.
fn is_base(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_of_url = |it: char| it.is_ascii_alphanumeric() || "-._~:/[]@!$&'()*+,;=%".contains(it);
    url.len() <= LONGEST_URL
        && rest.is_some_and(|rest| {
            !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(is_of_url)
        })
}

#[cfg(test)]
mod tests {
    use super::is_base;

    #[test]
    fn a_name_can_follow_a_base() {
        for good in ["https://docs.example.com/runbooks/", "http://[::1]:8080", "https://a/%20"] {
            assert!(is_base(good), "{good}");
        }
        let long = format!("https://{}", "a".repeat(512));
        for bad in [
            "",
            "https://",
            "ftp://a",
            "https:///a",
            "https://a?b",
            "https://a#b",
            "https://a/{{ .Value }}",
            "https://a b",
            "https://a\n",
            "javascript:alert(1)",
            &long,
        ] {
            assert!(!is_base(bad), "{bad:?}");
        }
    }
}
