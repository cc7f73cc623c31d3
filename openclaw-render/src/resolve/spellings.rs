//! How texts of a spec are written, as the API server's patterns say it, in functions and in words.

use super::extensions;
use crate::api::schema::spellings::{
    ABSOLUTE, DURATION, ENV_NAME, FOLDER, FORCE_PATH, HOST, HOST_NAME, INTERVAL, LABEL, MODEL,
    NAMESPACE, OBJECT_NAME, OPENING, PAGES_URL, PLUGIN, PORT_NAME, REALM, REGISTRY, RELATIVE,
    REPOSITORY, RESTORE_SOURCE, SCHEDULE, SERVER_URL, SKILL, TAG, TIME_ZONE, USER_NAME, VERSION,
    WEB_PATH, WORKSPACE_NAME,
};
use crate::backups::Source;
use crate::vocab::{grammar, schedule};

/// A way to write texts: the schema's pattern, the same as a function, and in words.
pub(super) struct Spelling {
    pub(super) pattern: &'static str,
    pub(super) is_right: fn(&str) -> bool,
    /// The rest of a sentence that begins with the text.
    pub(super) words: Words,
}

/// What is said of a text that is written otherwise.
pub(super) enum Words {
    Always(&'static str),
    /// What of it is wrong.
    Of(fn(&str) -> String),
}

impl Spelling {
    /// Returns what is wrong with a text.
    pub(super) fn complaint(&self, text: &str) -> Option<String> {
        let words = |words: &Words| match words {
            Words::Always(words) => (*words).to_owned(),
            Words::Of(words) => words(text),
        };
        (!(self.is_right)(text)).then(|| words(&self.words))
    }
}

pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling {
        pattern: ABSOLUTE,
        is_right: |text| text.is_empty() || grammar::is_absolute(text),
        words: Words::Always("is not an absolute path without `..`"),
    },
    Spelling {
        pattern: ENV_NAME,
        is_right: grammar::is_env_name,
        words: Words::Always(
            "is not a name: write letters, digits and signs of ASCII, but not `=`",
        ),
    },
    Spelling {
        pattern: FORCE_PATH,
        is_right: grammar::is_key_path,
        words: Words::Always("is no path: write keys with dots between them"),
    },
    Spelling {
        pattern: HOST_NAME,
        is_right: |text| text.is_empty() || grammar::is_label(&text.to_ascii_lowercase()),
        words: Words::Always(
            "is not the name of a host: write at most 63 letters, digits and `-`, a \
                letter or digit first and last",
        ),
    },
    Spelling {
        pattern: INTERVAL,
        is_right: |text| text.is_empty() || grammar::is_interval(text),
        words: Words::Always("is no time for Prometheus: write for example `30s` or `1m30s`"),
    },
    Spelling {
        pattern: LABEL,
        is_right: grammar::is_label,
        words: Words::Always(
            "is not the name of a namespace: write at most 63 lower-case letters, digits and \
                `-`, a letter or digit first and last",
        ),
    },
    Spelling {
        pattern: MODEL,
        is_right: grammar::is_model,
        words: Words::Always(
            "is not a model: write for example `llama3.2:3b` or `hf.co/owner/name:tag`",
        ),
    },
    Spelling {
        pattern: OBJECT_NAME,
        is_right: |text| text.is_empty() || grammar::is_subdomain(text),
        words: Words::Always(
            "cannot name an object: write lower-case letters, digits, `-` and `.`, a letter or \
                digit first and last",
        ),
    },
    Spelling {
        pattern: REGISTRY,
        is_right: |text| text.is_empty() || grammar::is_registry(text),
        words: Words::Always(
            "is not a registry: write `host`, `host:port` or `host/path`, without a scheme",
        ),
    },
    Spelling {
        pattern: RELATIVE,
        is_right: grammar::is_relative,
        words: Words::Always("is not a path below the workspace: do not begin with `/`"),
    },
    Spelling {
        pattern: REPOSITORY,
        is_right: |text| text.is_empty() || grammar::is_repository(text),
        words: Words::Always(
            "is not a repository: write `host/path/name` without tag, in lower case",
        ),
    },
    Spelling {
        pattern: SERVER_URL,
        is_right: |text| text.is_empty() || grammar::is_server_url(text),
        words: Words::Always(
            "is not the address of a server: write for example `https://netbird.example.com:443`",
        ),
    },
    Spelling {
        pattern: TAG,
        is_right: |text| text.is_empty() || grammar::is_image_tag(text),
        words: Words::Always(
            "is not a tag: use at most 128 letters, digits, `_`, `.` and `-`, begin with none of \
                the last two, and write `@sha256:` and 64 hexadecimal digits behind it or nothing",
        ),
    },
    Spelling {
        pattern: VERSION,
        is_right: grammar::is_version,
        words: Words::Always("is not a version: write `YYYY.M.P`, for example `2026.9.6`"),
    },
    Spelling {
        pattern: WORKSPACE_NAME,
        is_right: grammar::is_workspace_name,
        words: Words::Always(
            "is not the name of a workspace: write lower-case letters, digits and single `-`",
        ),
    },
    Spelling {
        pattern: DURATION,
        is_right: |text| text.is_empty() || is_time(text),
        words: Words::Always("is no duration: write for example `90m` or `2h`"),
    },
    Spelling {
        pattern: SCHEDULE,
        is_right: |text| text.is_empty() || schedule::is_schedule(text),
        words: Words::Always(
            "is no schedule: write minute, hour, day of the month, month and day of the week, for example `0 3 * * *`, or `@daily`; the time is UTC",
        ),
    },
    Spelling {
        pattern: OPENING,
        is_right: schedule::is_opening,
        words: Words::Always(
            "is no schedule that ever comes: write five fields, minute, hour, day of the month, month and day of the week, for example `0 3 * * 6`",
        ),
    },
    Spelling {
        pattern: TIME_ZONE,
        is_right: |text| text.is_empty() || grammar::is_time_zone(text),
        words: Words::Always("is no time zone: write for example `Europe/Vienna`"),
    },
    Spelling {
        pattern: FOLDER,
        is_right: |text| text.is_empty() || grammar::is_folder(text),
        words: Words::Always("cannot name a folder: write one line, and no `..`"),
    },
    Spelling {
        pattern: PAGES_URL,
        is_right: |text| text.is_empty() || grammar::is_pages_url(text),
        words: Words::Always(
            "is no address of pages: write an `http` or `https` URL without `?` and `#`",
        ),
    },
    Spelling {
        pattern: HOST,
        is_right: |text| text.is_empty() || grammar::is_host(text),
        words: Words::Always(
            "is not the name of a host: write for example `ada.example.com` or `*.example.com`, without scheme and port",
        ),
    },
    Spelling {
        pattern: WEB_PATH,
        is_right: |text| text.is_empty() || grammar::is_web_path(text),
        words: Words::Always(
            "is not a path: begin with `/`, without white space and `;`, `{`, `}`, `#`, quotes",
        ),
    },
    Spelling {
        pattern: USER_NAME,
        is_right: |text| text.is_empty() || grammar::is_user_name(text),
        words: Words::Always(
            "is no user name: leave out `:`, control characters, and `#` in front",
        ),
    },
    Spelling {
        pattern: REALM,
        is_right: grammar::is_realm,
        words: Words::Always("is no name: use letters, digits, ` `, `-`, `.`, `_`, `/`"),
    },
    Spelling {
        pattern: NAMESPACE,
        is_right: |text| text.is_empty() || grammar::is_label(text),
        words: Words::Always("cannot name a namespace"),
    },
    Spelling {
        pattern: PORT_NAME,
        is_right: grammar::is_label,
        words: Words::Always(
            "cannot name a port: write at most 63 lower-case letters, digits and `-`, a letter or digit first and last",
        ),
    },
    Spelling {
        pattern: SKILL,
        is_right: |text| extensions::skill_form(text).is_ok(),
        words: Words::Of(|text| extensions::skill_form(text).err().unwrap_or_default()),
    },
    Spelling {
        pattern: PLUGIN,
        is_right: |text| extensions::plugin_form(text).is_ok(),
        words: Words::Of(|text| extensions::plugin_form(text).err().unwrap_or_default()),
    },
    Spelling {
        pattern: RESTORE_SOURCE,
        is_right: |text| text.is_empty() || Source::parse(text).is_ok(),
        words: Words::Of(|text| Source::parse(text).err().unwrap_or_default().to_owned()),
    },
];

fn is_time(text: &str) -> bool {
    schedule::seconds(text).is_some()
}
