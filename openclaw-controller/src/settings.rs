//! Flags and environment: the only place that reads them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use jiff::SignedDuration;
use openclaw_render::api::OnOperatorUpgrade;
use openclaw_render::pacing::{MaxUnready, Pacing};

use crate::github::Token;
use crate::otlp::{Destination, Endpoint};

/// Milliseconds.
const LONGEST_PUSH: u64 = 60_000;

/// Runs OpenClaw agents on Kubernetes: makes the cluster equal to what each OpenClawInstance asks
/// for, and reports.
///
/// Talks to the cluster that KUBECONFIG names, or inside a pod to its own. Ends with 0 when it is
/// told to stop (SIGTERM, SIGINT), with 1 on failure, which includes a lost Lease, and with 2 when
/// a flag is wrong.
#[derive(Clone, Debug, Parser)]
#[command(name = "openclaw-controller", version)]
pub(crate) struct Settings {
    /// Namespaces whose instances are looked after, separated by commas. Without it: all. Then
    /// namespaced Roles are enough, OpenClawClusterDefaults are not read, and instances elsewhere
    /// are invisible.
    #[arg(long, env, value_delimiter = ',', value_parser = namespace)]
    pub(crate) watch_namespaces: Vec<Option<String>>,

    /// Namespace that the operator runs in: its Lease is there, and pods of this namespace alone
    /// may ask the agents' config-sync for its state.
    #[arg(long, env = "POD_NAMESPACE", default_value = "openclaw-operator-system")]
    pub(crate) operator_namespace: String,

    /// Elect one leader among several replicas. Without it, exactly one replica may run.
    #[arg(long, env)]
    pub(crate) leader_elect: bool,

    /// Name under which this replica holds the Lease. Default: the host's name, which is the pod's.
    #[arg(long, env = "POD_NAME")]
    pub(crate) identity: Option<String>,

    /// Image of the helper in agent pods. Changing it replaces pods, so its tag names a protocol
    /// and not the operator's version.
    #[arg(long, env, default_value_t = openclaw_render::Settings::default().pod_image)]
    pub(crate) pod_image: String,

    /// What happens to running pods when only a new version of the operator would change them,
    /// where the instance does not say.
    #[arg(long, env, value_enum, default_value_t = RolloutOnUpgrade::Hold)]
    pub(crate) rollout_on_upgrade: RolloutOnUpgrade,

    /// How many agents may be unready at a time because of one cause that is not their own user's, such
    /// as a change of the OpenClawClusterDefaults: a number, or a part of all agents that it concerns.
    #[arg(long, env, default_value_t = Pacing::default().max_unready)]
    pub(crate) rollout_max_unready: MaxUnready,

    /// Seconds for which the first agent that such a cause replaces must be ready before others
    /// follow.
    #[arg(long, env, default_value_t = Pacing::default().first_ready_for.as_secs(), value_parser = clap::value_parser!(i64).range(0..=86_400))]
    pub(crate) rollout_first_ready_seconds: i64,

    /// Owners and repositories on GitHub that skill packs may come from, separated by commas: `owner`
    /// or `owner/repository`. Without it: all.
    #[arg(long, env, value_delimiter = ',')]
    pub(crate) skill_pack_sources: Vec<String>,

    /// Where the API of GitHub is that skill packs are fetched from.
    #[arg(long, env, default_value = "https://api.github.com", value_parser = address)]
    pub(crate) skill_pack_api: String,

    /// File with a token for that API. It is read again for each request.
    #[arg(long, env, requires = "skill_pack_token_repositories")]
    pub(crate) skill_pack_token_file: Option<PathBuf>,

    /// Owners and repositories that the token is used for, separated by commas, as in
    /// `--skill-pack-sources`. Whoever may write an instance can read the packs in them.
    #[arg(long, env, value_delimiter = ',')]
    pub(crate) skill_pack_token_repositories: Vec<String>,

    /// Namespaces whose agents may use the shared storage of backups, separated by commas, `*` for
    /// all. Whoever reads Secrets there can read every backup in it.
    #[arg(long, env, value_delimiter = ',')]
    pub(crate) backup_share_with: Vec<String>,

    /// Secret in the operator's namespace that names the shared storage of backups.
    #[arg(long, env, default_value_t = openclaw_render::Settings::default().backup_secret)]
    pub(crate) backup_secret: String,

    /// Instances that are worked on at the same time, in all namespaces together.
    #[arg(long, env, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) workers: u16,

    /// Address of `/metrics` (plain HTTP), such as `:8080`; `0` turns it off.
    #[arg(long, env, default_value = ":8080")]
    pub(crate) metrics_bind_address: Listen,

    /// OpenTelemetry collector to which metrics are pushed every 30 seconds by OTLP over HTTP: a URL such
    /// as `http://collector:4318`, below which they go to `v1/metrics`, or `HOST:PORT`. Without it,
    /// nothing is pushed.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", default_value = "")]
    pub(crate) otlp_endpoint: String,

    /// The same as the exact URL of metrics.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", default_value = "")]
    pub(crate) otlp_metrics_endpoint: String,

    /// Whether the collector is spoken to without TLS if its address says neither `http` nor `https`.
    #[arg(long, env, default_value_t = true, action = clap::ArgAction::Set)]
    pub(crate) otlp_insecure: bool,

    /// Headers of each push, `key=value,key=value`.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_HEADERS", default_value = "", hide_env_values = true)]
    pub(crate) otlp_headers: Hidden,

    /// Milliseconds that a push may take.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TIMEOUT", default_value = "10000")]
    pub(crate) otlp_timeout: String,

    /// Address of `/healthz` and `/readyz` (plain HTTP); `0` turns them off.
    #[arg(long, env, default_value = ":8081")]
    pub(crate) health_probe_bind_address: Listen,

    /// How much is logged.
    #[arg(long, env, value_enum, default_value_t = LogLevel::Info)]
    pub(crate) log_level: LogLevel,

    /// How it is logged.
    #[arg(long, env, value_enum, default_value_t = LogFormat::Json)]
    pub(crate) log_format: LogFormat,
}

/// A text that is never printed.
#[derive(Clone)]
pub(crate) struct Hidden(String);

impl FromStr for Hidden {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// See [`Settings::rollout_on_upgrade`].
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RolloutOnUpgrade {
    /// Wait for approval.
    Hold,
    /// Replace them, a few at a time.
    Roll,
}

/// Lines of this level and graver ones are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogLevel {
    /// What failed.
    Error,
    /// What may fail.
    Warn,
    /// What was done.
    Info,
    /// What was looked at.
    Debug,
    /// Everything.
    Trace,
}

/// Shape of a line of the log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object.
    Json,
    /// For people.
    Text,
}

/// Where a server listens, if it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listen(pub(crate) Option<SocketAddr>);

impl FromStr for Listen {
    type Err = String;

    /// `0`, `:PORT` for all addresses, or `ADDRESS:PORT`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" {
            return Ok(Self(None));
        }
        let address = text.strip_prefix(':').map_or(text.to_owned(), |port| format!("[::]:{port}"));
        let parsed = address.parse().map_err(|_| "expected `:PORT`, `ADDRESS:PORT` or `0`")?;
        Ok(Self(Some(parsed)))
    }
}

/// An address that is asked over HTTP.
fn address(text: &str) -> Result<String, String> {
    let is_good = |rest: &str| !rest.is_empty() && text.parse::<http::Uri>().is_ok();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    if rest.is_some_and(is_good) {
        Ok(text.to_owned())
    } else {
        Err("expected `https://HOST`".to_owned())
    }
}

/// What a list of owners and repositories names.
fn named(list: &[String]) -> Vec<String> {
    list.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Nothing for an empty entry, as in `a,,b`.
#[expect(clippy::unnecessary_wraps, reason = "clap wants a fallible parser")]
fn namespace(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

impl Settings {
    /// The namespaces to look after, each once, in order; empty for all of them.
    fn namespaces(&self) -> Vec<String> {
        let mut namespaces = Vec::new();
        for namespace in self.watch_namespaces.iter().flatten() {
            if !namespaces.contains(namespace) {
                namespaces.push(namespace.clone());
            }
        }
        namespaces
    }

    /// What is watched at once: a namespace each, or all of them.
    pub(crate) fn scopes(&self) -> Vec<Option<String>> {
        let namespaces = self.namespaces();
        if namespaces.is_empty() { vec![None] } else { namespaces.into_iter().map(Some).collect() }
    }

    /// The token for skill packs, and what it is for.
    pub(crate) fn skill_pack_token(&self) -> Option<Token> {
        let file = self.skill_pack_token_file.clone()?;
        Some(Token { file, repositories: named(&self.skill_pack_token_repositories) })
    }

    /// Where metrics are pushed to, if anywhere. What is wrong with it keeps nothing else from working:
    /// the environment of OpenTelemetry may have been set by somebody else.
    pub(crate) fn otlp(&self) -> Result<Option<Destination>, &'static str> {
        let (all, exact) = (self.otlp_endpoint.trim(), self.otlp_metrics_endpoint.trim());
        let endpoint = if !exact.is_empty() {
            Endpoint::exact(exact)?
        } else if all.is_empty() {
            return Ok(None);
        } else {
            Endpoint::of_all(all, self.otlp_insecure)?
        };
        let milliseconds = self.otlp_timeout.trim().parse::<u64>();
        let milliseconds = milliseconds.ok().filter(|it| (1..=LONGEST_PUSH).contains(it));
        let milliseconds = milliseconds.ok_or("the time-out must be 1 to 60000 milliseconds")?;
        let timeout = Duration::from_millis(milliseconds);
        Ok(Some(Destination { endpoint, headers: self.otlp_headers.0.parse()?, timeout }))
    }

    /// How agents are replaced that have one cause.
    pub(crate) fn pacing(&self) -> Pacing {
        Pacing {
            max_unready: self.rollout_max_unready,
            first_ready_for: SignedDuration::from_secs(self.rollout_first_ready_seconds),
        }
    }

    /// What the renderer must know.
    pub(crate) fn render(&self) -> openclaw_render::Settings {
        openclaw_render::Settings {
            operator_namespace: self.operator_namespace.clone(),
            pod_image: self.pod_image.clone(),
            rollout_on_upgrade: match self.rollout_on_upgrade {
                RolloutOnUpgrade::Hold => OnOperatorUpgrade::Hold,
                RolloutOnUpgrade::Roll => OnOperatorUpgrade::Roll,
            },
            skill_pack_sources: named(&self.skill_pack_sources),
            backup_share_with: named(&self.backup_share_with),
            backup_secret: self.backup_secret.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespaces(value: &str) -> Vec<String> {
        let arguments = ["openclaw-controller", "--watch-namespaces", value];
        Settings::try_parse_from(arguments).expect("parses").namespaces()
    }

    #[test]
    fn namespaces_are_trimmed_and_named_once() {
        assert_eq!(namespaces(" team-a , team-b "), ["team-a", "team-b"]);
        assert_eq!(namespaces("a,,b,"), ["a", "b"]);
        assert_eq!(namespaces("a,b,a"), ["a", "b"]);
        assert_eq!(namespaces(""), [""; 0]);
    }

    #[test]
    fn metrics_are_pushed_where_it_is_said_and_a_wrong_place_stops_nothing() {
        let otlp = |arguments: &[&str]| {
            let all = [&["openclaw-controller"], arguments].concat();
            let otlp = Settings::try_parse_from(all).expect("parses").otlp();
            otlp.map(|it| it.map(|it| it.endpoint.to_string()))
        };
        assert_eq!(otlp(&[]), Ok(None));
        assert_eq!(otlp(&["--otlp-endpoint", ""]), Ok(None));
        let pushed = |url: &str| Ok(Some(url.to_owned()));
        let all = ["--otlp-endpoint", "collector:4318"];
        assert_eq!(otlp(&all), pushed("http://collector:4318/v1/metrics"));
        let secure = [&all[..], &["--otlp-insecure=false"]].concat();
        assert_eq!(otlp(&secure), pushed("https://collector:4318/v1/metrics"));
        let exact = [&all[..], &["--otlp-metrics-endpoint", "https://other/x"]].concat();
        assert_eq!(otlp(&exact), pushed("https://other/x"));
        for wrong in [
            &["--otlp-endpoint", "ftp://x"][..],
            &["--otlp-endpoint", "x:1", "--otlp-timeout", "soon"],
            &["--otlp-endpoint", "x:1", "--otlp-timeout", "0"],
            &["--otlp-endpoint", "x:1", "--otlp-headers", "secret"],
        ] {
            assert!(otlp(wrong).is_err(), "{wrong:?}");
        }
        let arguments = ["openclaw-controller", "--otlp-headers", "x=hushed"];
        let settings = Settings::try_parse_from(arguments).expect("parses");
        assert!(!format!("{settings:?}").contains("hushed"));
    }

    #[test]
    fn a_server_listens_on_a_port_an_address_or_not_at_all() {
        let listen = |text: &str| text.parse::<Listen>().map(|listen| listen.0);
        assert_eq!(listen("0"), Ok(None));
        assert_eq!(listen(":8080"), Ok(Some("[::]:8080".parse().expect("an address"))));
        assert_eq!(listen("127.0.0.1:1"), Ok(Some("127.0.0.1:1".parse().expect("an address"))));
        assert!(listen("8080").is_err());
    }
}
