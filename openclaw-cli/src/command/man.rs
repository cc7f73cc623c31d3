//! `man`: the manual page.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::CommandFactory as _;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  openclaw-cli man > /usr/local/share/man/man1/openclaw-cli.1")]
pub(crate) struct Arguments {}

/// Prints the page of the program and, after it, those of its subcommands.
pub(crate) fn run(_: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let mut program = crate::args::Arguments::command();
    program.build();
    let mut text = Vec::new();
    clap_mangen::Man::new(program.clone()).render(&mut text)?;
    for subcommand in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        clap_mangen::Man::new(subcommand.clone()).render(&mut text)?;
    }
    io::stdout().lock().write_all(&text)?;
    Ok(ExitCode::SUCCESS)
}
