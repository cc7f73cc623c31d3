//! What the process logs, and how.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::settings::{LogFormat, LogLevel};

/// From now on, lines go to standard output.
pub(crate) fn start(level: LogLevel, format: LogFormat) {
    let lines = fmt::layer().with_target(false);
    let lines = match format {
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
        LogFormat::Text => lines.boxed(),
    };
    registry().with(lines.with_filter(filter(level))).init();
}

/// Of the libraries, only what they warn of; and of `kube`'s client only failures, since it warns
/// of answers by quoting them whole.
fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("kube_client", LevelFilter::ERROR)
        .with_target(env!("CARGO_CRATE_NAME"), level)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn no_level_lets_the_client_quote_what_it_read() {
        for level in [LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace] {
            let filter = filter(level);
            for target in ["kube_client", "kube_client::client"] {
                assert!(!filter.would_enable(target, &Level::WARN), "{level:?}");
                assert!(filter.would_enable(target, &Level::ERROR));
            }
            assert!(filter.would_enable("hyper", &Level::WARN));
            assert!(!filter.would_enable("hyper", &Level::INFO));
            assert!(filter.would_enable("openclaw_controller::watches", &Level::WARN));
        }
        assert!(filter(LogLevel::Debug).would_enable("openclaw_controller", &Level::DEBUG));
    }
}
