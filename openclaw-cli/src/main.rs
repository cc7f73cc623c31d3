//! `openclaw-cli`: what the operator would do, for people and CI; and the helper inside agent pods.
//!
//! Exit codes: 0 done, 1 not done (standard error says why), 2 wrong usage.

mod args;
mod command;
mod error;
mod input;
mod output;
mod pod;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use error::{is_broken_pipe, tell};

fn main() -> ExitCode {
    match dispatch(Arguments::parse().command) {
        Ok(code) => code,
        // Whoever reads the output has seen enough, as `head` does.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever does not read it cannot be told.
            let _ = tell(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// One line per subcommand.
fn dispatch(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Render(arguments) => command::render::run(&arguments),
        Command::Check(arguments) => command::check::run(&arguments),
        Command::Diff(arguments) => command::diff::run(&arguments),
        Command::Play(arguments) => command::play::run(&arguments),
        Command::Explain(arguments) => command::explain::run(&arguments),
        Command::Convert(arguments) => command::convert::run(&arguments),
        Command::Images(arguments) => command::images::run(&arguments),
        Command::Crds(arguments) => command::crds::run(&arguments),
        Command::Docs(arguments) => command::docs::run(&arguments),
        Command::Schema(arguments) => command::schema::run(&arguments),
        Command::Completions(arguments) => command::completions::run(&arguments),
        Command::Man(arguments) => command::man::run(&arguments),
        Command::Pod(command) => pod::run(command),
    }
}
