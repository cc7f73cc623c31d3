//! `ENVIRONMENT.md`: what the agent is told about the place where it runs.
//!
//! Every sentence is true of this instance. A change of the text takes effect when the next pod
//! starts, and replaces none.

use std::fmt::Write;

use crate::resolve::{DataVolume, EntryPoint, Resolved};

/// Returns the text.
pub(super) fn text(instance: &Resolved) -> String {
    let mut text = String::from(
        "# Where you run\n\n\
         You run in a container of a Kubernetes pod, without root and without a way to become \
         root.\nThe operator writes this file again when it changes; keep notes of your own \
         elsewhere.\n\n## Places to write\n\n| Place | Lasts |\n|---|---|\n",
    );
    let lasts = match instance.storage.volume {
        DataVolume::Made { .. } | DataVolume::OfReplicas { .. } | DataVolume::Existing(_) => {
            "on a volume: survives restarts"
        }
        DataVolume::Ephemeral(_) => "gone with the pod: there is no persistent volume",
    };
    let places = "`~/.openclaw/`, `~/.local/`, `~/.cache/`, `~/.config/`";
    let _ = writeln!(text, "| {places} | {lasts} |\n| `/tmp` | gone with the pod |");
    if instance.security.agent.read_only_root_filesystem == Some(true) {
        text.push_str("\nEverything else is read-only. Do not try to write there.\n");
    }
    text.push_str(
        "\n## Tools\n\n\
         - `openclaw` is on PATH: `openclaw --help`, `openclaw doctor`, `openclaw --version`.\n",
    );
    if instance.entry_point == EntryPoint::Helper {
        text.push_str("- Programs in `~/.local/bin` are on PATH. Put static binaries there.\n");
    }
    if let Some(runtimes) = &instance.runtimes {
        if runtimes.pnpm {
            text.push_str("- `pnpm` is installed there.\n");
        }
        if runtimes.uv_image.is_some() {
            text.push_str(
                "- `python3` (3.12) and `uv` are installed there. For libraries make an environment \
                 with\n  `uv venv`, for programs use `uv tool install`.\n",
            );
        }
    }
    if instance.ollama.is_some() {
        text.push_str("- Local models answer at `$OLLAMA_HOST`, by the API of Ollama.\n");
    }
    text.push_str(
        "- `apt-get`, `sudo` and `su` do not work. If a system library or a compiler is missing, ask \
         your\n  administrator for an image that has it.\n",
    );
    text.push_str("\n## Network\n\n");
    text.push_str(match &instance.network_policy {
        None => "No policy limits where you may connect to.\n",
        Some(policy) if policy.https => {
            "A policy lets you out to TCP port 443 and to what your administrator opened. \
             Plain HTTP\non port 80 is closed: use HTTPS.\n"
        }
        Some(_) => {
            "A policy lets you out to what your administrator opened. Everything else is \
             closed,\nHTTPS to the Internet too.\n"
        }
    });
    text
}
