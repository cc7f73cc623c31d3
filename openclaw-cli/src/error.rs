//! What a failed command says of itself.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Whether whoever read the output has gone.
pub(crate) fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The exit code of a command that answers a question, when the answer could not be found out.
const UNKNOWN: u8 = 2;

/// Says why a command did not do its work.
///
/// # Errors
/// When nobody reads standard error any more.
pub(crate) fn tell(error: &dyn Error) -> io::Result<()> {
    // Not `eprintln!`: it panics when nobody reads standard error any more.
    writeln!(io::stderr(), "error: {}", chain(error))
}

/// Says why an answer could not be found out.
///
/// # Errors
/// When nobody reads standard error any more.
pub(crate) fn unanswered(error: &dyn Error) -> io::Result<ExitCode> {
    tell(error)?;
    Ok(ExitCode::from(UNKNOWN))
}

/// Returns an error with everything that caused it, as one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
