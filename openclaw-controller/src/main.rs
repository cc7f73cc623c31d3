//! The operator's process in the cluster. This version has none, and says so.

use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!(
        "openclaw-controller does not exist in this version; \
         `openclaw-cli render` prints what it will apply"
    );
    ExitCode::FAILURE
}
