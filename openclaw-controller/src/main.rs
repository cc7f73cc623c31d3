//! The operator's process: it reads the cluster, calls the pure plan of `openclaw-render`, performs
//! the difference and reports.

mod agent;
mod agents;
mod answer;
mod backoff;
mod cache;
mod cluster;
mod config_sync;
mod context;
mod error;
mod execute;
mod feed;
mod github;
mod http;
mod instance;
mod instance_text;
mod instances;
mod leader;
mod live;
mod memory;
mod metrics;
mod observe;
mod operator;
mod otlp;
mod packs;
mod publish;
mod questions;
mod queue;
mod random;
mod registry;
mod request;
mod requests;
mod settings;
mod shared_storage;
mod telemetry;
mod turns;
mod watches;
mod workers;

use std::process::ExitCode;

use clap::Parser;
use tracing::{error, info};

use crate::settings::Settings;

fn main() -> ExitCode {
    let settings = Settings::parse();
    telemetry::start(settings.log_level, settings.log_format);
    info!(version = env!("CARGO_PKG_VERSION"), "openclaw-controller starts");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(operator::THREADS)
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(operator::run(settings)),
        Err(source) => Err(operator::RunError::Runtime(source)),
    };
    match result {
        Ok(()) => {
            info!("stopped");
            ExitCode::SUCCESS
        }
        Err(failed) => {
            error!(error = %error::chain(&failed), "stopped by a failure");
            ExitCode::FAILURE
        }
    }
}
