//! How texts are written: patterns that the API server and [`crate::resolve`] hold alike.
//!
//! An empty text means unset and is accepted in every optional field.

/// A quantity that is not negative, or nothing.
pub(crate) const QUANTITY: &str =
    r"^$|^\+?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]+))?$";
/// Longest quantity.
pub(crate) const QUANTITY_LENGTH: i64 = 32;
/// A digest of the algorithm that registries use, or nothing.
pub(crate) const DIGEST: &str = "^(sha256:[a-f0-9]{64})?$";
/// `sha256:` and 64 digits.
pub(super) const DIGEST_LENGTH: i64 = 71;

/// Type of a condition.
pub(super) const CONDITION_TYPE: &str = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$";
/// Reason of a condition.
pub(super) const CONDITION_REASON: &str = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";
/// What a condition can be.
pub(super) const CONDITION_STATUS: &[&str] = &["True", "False", "Unknown"];
/// Kubernetes accepts any name of printable ASCII without `=`.
pub(crate) const ENV_NAME: &str = "^[ -<>-~]+$";
/// A path that begins at the root and does not go up, or nothing.
pub(crate) const ABSOLUTE: &str = r"^(/([^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+|\.)?)*$";
/// A time as Prometheus reads it, or nothing.
pub(crate) const INTERVAL: &str =
    "^(([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$";
/// Name of a namespace.
pub(crate) const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// Name of a host, or nothing.
pub(crate) const HOST_NAME: &str = "^([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)?$";
/// Address of a server, without a path, or nothing.
pub(crate) const SERVER_URL: &str =
    r"^(https?://([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?)?$";
/// A model: a name, or the way to it in a registry, and a tag.
pub(crate) const MODEL: &str = "^[A-Za-z0-9_][A-Za-z0-9_.:-]*(/[A-Za-z0-9_][A-Za-z0-9_.:-]*)*$";
/// Name of another object, or nothing.
pub(crate) const OBJECT_NAME: &str =
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$";
/// A registry and a path in it, or nothing.
pub(crate) const REGISTRY: &str =
    r"^(([A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[a-z0-9._-]+)*/*)?$";
/// A repository of images, or nothing.
pub(crate) const REPOSITORY: &str =
    r"^([A-Za-z0-9_:\[\]][A-Za-z0-9_.:\[\]-]*(/[a-z0-9._-]+)+|[a-z0-9_][a-z0-9._-]*)?$";
/// A tag of an image, also with a digest behind it, or nothing.
pub(crate) const TAG: &str = r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[a-f0-9]{64})?)?$";
/// 128 characters, and a digest behind them.
pub(crate) const TAG_LENGTH: i64 = 200;
/// Longest name of a repository.
pub(crate) const REPOSITORY_LENGTH: i64 = 512;
/// Keys with dots between them.
pub(crate) const FORCE_PATH: &str = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$";
/// A path that does not begin at the root.
pub(crate) const RELATIVE: &str = "^[^/].*$";
/// Number of a version, or nothing.
pub(crate) const VERSION: &str = r"^([0-9]{4}\.[0-9]{1,2}\.[0-9]+)?$";
/// Id of an agent in openclaw.json, or nothing.
pub(super) const AGENT_ID: &str = "^([a-z0-9_][a-z0-9_-]{0,63})?$";
/// An image with its tag or digest, or nothing.
pub(super) const IMAGE: &str = r"^(([A-Za-z0-9_:\[\]][A-Za-z0-9_.:\[\]-]*(/[a-z0-9._-]+)+|[a-z0-9_][a-z0-9._-]*)(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?)?$";
/// Words with hyphens between them.
pub(crate) const WORKSPACE_NAME: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";
/// Time as Go writes it, or nothing.
pub(crate) const DURATION: &str =
    r"^([-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+))?$";
/// Schedule of a CronJob, or nothing. That a range does not go backwards is seen later.
pub(crate) const SCHEDULE: &str = r"^\s*([*?]|0*[0-5]?[0-9](-0*[0-5]?[0-9])?)(/0*[1-9][0-9]*)?(,([*?]|0*[0-5]?[0-9](-0*[0-5]?[0-9])?)(/0*[1-9][0-9]*)?)*\s+([*?]|0*(1?[0-9]|2[0-3])(-0*(1?[0-9]|2[0-3]))?)(/0*[1-9][0-9]*)?(,([*?]|0*(1?[0-9]|2[0-3])(-0*(1?[0-9]|2[0-3]))?)(/0*[1-9][0-9]*)?)*\s+([*?]|0*([1-9]|[12][0-9]|3[01])(-0*([1-9]|[12][0-9]|3[01]))?)(/0*[1-9][0-9]*)?(,([*?]|0*([1-9]|[12][0-9]|3[01])(-0*([1-9]|[12][0-9]|3[01]))?)(/0*[1-9][0-9]*)?)*\s+([*?]|(0*([1-9]|1[0-2])|[Jj][Aa][Nn]|[Ff][Ee][Bb]|[Mm][Aa][Rr]|[Aa][Pp][Rr]|[Mm][Aa][Yy]|[Jj][Uu][NnLl]|[Aa][Uu][Gg]|[Ss][Ee][Pp]|[Oo][Cc][Tt]|[Nn][Oo][Vv]|[Dd][Ee][Cc])(-(0*([1-9]|1[0-2])|[Jj][Aa][Nn]|[Ff][Ee][Bb]|[Mm][Aa][Rr]|[Aa][Pp][Rr]|[Mm][Aa][Yy]|[Jj][Uu][NnLl]|[Aa][Uu][Gg]|[Ss][Ee][Pp]|[Oo][Cc][Tt]|[Nn][Oo][Vv]|[Dd][Ee][Cc]))?)(/0*[1-9][0-9]*)?(,([*?]|(0*([1-9]|1[0-2])|[Jj][Aa][Nn]|[Ff][Ee][Bb]|[Mm][Aa][Rr]|[Aa][Pp][Rr]|[Mm][Aa][Yy]|[Jj][Uu][NnLl]|[Aa][Uu][Gg]|[Ss][Ee][Pp]|[Oo][Cc][Tt]|[Nn][Oo][Vv]|[Dd][Ee][Cc])(-(0*([1-9]|1[0-2])|[Jj][Aa][Nn]|[Ff][Ee][Bb]|[Mm][Aa][Rr]|[Aa][Pp][Rr]|[Mm][Aa][Yy]|[Jj][Uu][NnLl]|[Aa][Uu][Gg]|[Ss][Ee][Pp]|[Oo][Cc][Tt]|[Nn][Oo][Vv]|[Dd][Ee][Cc]))?)(/0*[1-9][0-9]*)?)*\s+([*?]|(0*[0-6]|[Ss][Uu][Nn]|[Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt])(-(0*[0-6]|[Ss][Uu][Nn]|[Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]))?)(/0*[1-9][0-9]*)?(,([*?]|(0*[0-6]|[Ss][Uu][Nn]|[Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt])(-(0*[0-6]|[Ss][Uu][Nn]|[Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]))?)(/0*[1-9][0-9]*)?)*\s*$|^@(annually|daily|hourly|midnight|monthly|weekly|yearly|every \+?([0-9.]+(ns|us|µs|μs|ms|s|m|h))+)$|^$";
/// Schedule of a window. Whether it ever comes is seen later.
pub(crate) const OPENING: &str = r"^(@[A-Za-z]+|[0-9A-Za-z*?,/#+-]+(\s+[0-9A-Za-z*?,/#+-]+){4})$";
/// Name of a time zone, or nothing. Whether there is such a zone is seen later.
pub(crate) const TIME_ZONE: &str = "^([A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*)?$";
/// Name of a folder of dashboards, or nothing.
pub(crate) const FOLDER: &str = r"^([^/.\p{Cc}][^/\p{Cc}]*|\.[^/.\p{Cc}][^/\p{Cc}]*|\.\.[^/\p{Cc}]+|\.)?(/([^/.\p{Cc}][^/\p{Cc}]*|\.[^/.\p{Cc}][^/\p{Cc}]*|\.\.[^/\p{Cc}]+|\.)?)*$";
/// Address of pages below which there are others, or nothing.
pub(crate) const PAGES_URL: &str =
    r"^(https?://[A-Za-z0-9._~:\[\]@!$&'()*+,;=%-][A-Za-z0-9._~:/\[\]@!$&'()*+,;=%-]*)?$";
/// Host of requests, perhaps with a wildcard as its first part, or nothing.
pub(crate) const HOST: &str =
    r"^((\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$";
/// Path of requests, or nothing.
pub(crate) const WEB_PATH: &str = r#"^(/[^\p{Cc}\p{Z};{}#"'`]*)?$"#;
/// User name of basic authentication, or nothing.
pub(crate) const USER_NAME: &str = r"^([^:#\p{Cc}][^:\p{Cc}]*)?$";
/// What a browser says that a password is for, or nothing.
pub(crate) const REALM: &str = "^[A-Za-z0-9 ._/-]*$";
/// Name of a namespace, or nothing.
pub(crate) const NAMESPACE: &str = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?|)$";
/// Name of a port of a Service.
pub(crate) const PORT_NAME: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
/// A skill of ClawHub, a package of npm, or a skill pack.
pub(crate) const SKILL: &str = r"^(@?[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?(@[A-Za-z0-9][A-Za-z0-9._+-]*)?|npm:(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*(@[A-Za-z0-9][A-Za-z0-9._+-]*)?|pack:[A-Za-z0-9][A-Za-z0-9_-]*/([A-Za-z0-9_-][A-Za-z0-9._-]*|\.[A-Za-z0-9_-][A-Za-z0-9._-]*|\.\.[A-Za-z0-9._-]+)/(\.|([A-Za-z0-9_-][A-Za-z0-9._-]*|\.[A-Za-z0-9_-][A-Za-z0-9._-]*|\.\.[A-Za-z0-9._-]+)(/([A-Za-z0-9_-][A-Za-z0-9._-]*|\.[A-Za-z0-9_-][A-Za-z0-9._-]*|\.\.[A-Za-z0-9._-]+))*)(@([A-Za-z0-9_-][A-Za-z0-9._-]*|\.[A-Za-z0-9_-][A-Za-z0-9._-]*|\.\.[A-Za-z0-9._-]+)(/([A-Za-z0-9_-][A-Za-z0-9._-]*|\.[A-Za-z0-9_-][A-Za-z0-9._-]*|\.\.[A-Za-z0-9._-]+))*)?)$";
/// A plugin of ClawHub, or a package of npm.
pub(crate) const PLUGIN: &str = "^(npm:|clawhub:)?(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*(@[A-Za-z0-9][A-Za-z0-9._+-]*)?$";
/// Path of a backup in a bucket, or nothing.
pub(crate) const RESTORE_SOURCE: &str = r"^((s3://[A-Za-z0-9_][A-Za-z0-9._-]*/)?/*([^/.\p{Cc}][^/\p{Cc}]*|\.[^/.\p{Cc}][^/\p{Cc}]*|\.\.[^/\p{Cc}]+)(/([^/.\p{Cc}][^/\p{Cc}]*|\.[^/.\p{Cc}][^/\p{Cc}]*|\.\.[^/\p{Cc}]+))*/*)?$";
