//! The user name and password that the Ingress asks for: whose Secret it is, and what is put into it.

use super::context::{Reference, Resolving};
use super::defaults::text;
use super::ingress::Controller;
use crate::api::{BasicAuth as Asked, ConditionType::SecretsReady, IngressSpec};
use crate::hash;
use crate::object::{Kind, ObjectKey};
use crate::observed::Fact;
use crate::problem::Severity;
use crate::vocab::grammar::is_subdomain;
use crate::vocab::names::{
    BASIC_AUTH_KEY, BASIC_AUTH_PASSWORD_KEY, BASIC_AUTH_USERNAME_KEY, InstanceName,
};

/// Hashes by key.
type Keys = std::collections::BTreeMap<String, String>;

const PATH: &str = "spec.networking.ingress.security.basicAuth";
const USERNAME: &str = "openclaw";
const REALM: &str = "OpenClaw";
/// bcrypt's own alphabet for base 64.
const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Each more doubles the work of everyone who tries a password, and that of the controller for each
/// request.
const COST: u32 = 10;
const PASSWORD_LENGTH: usize = 40;

/// A name and password that the Ingress asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BasicAuth {
    pub(crate) secret: String,
    pub(crate) realm: String,
    /// What becomes of the Secret, unless it is the user's.
    pub(crate) made: Option<MadeSecret>,
    pub(crate) form: SecretForm,
}

/// The form of a Secret that a controller reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretForm {
    /// Lines of htpasswd under a key.
    Htpasswd,
    /// Type `kubernetes.io/basic-auth`: Traefik takes many keys of no other type.
    Typed,
}

/// The Secret that the operator makes, once.
#[derive(Clone, PartialEq)]
pub(crate) struct MadeSecret {
    pub(crate) username: String,
    /// Password and htpasswd line; nothing where the Secret is there, and in previews.
    pub(crate) content: Option<(String, String)>,
}

/// A password is never printed.
impl std::fmt::Debug for MadeSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeSecret").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Returns what is asked for.
fn asked(ingress: &IngressSpec) -> Option<&Asked> {
    let auth = ingress.security.as_ref()?.basic_auth.as_ref()?;
    (auth.enabled == Some(true)).then_some(auth)
}

/// Decides whose Secret it is. A controller that is not known to ask for passwords would publish
/// the agent without one.
pub(super) fn resolve(
    name: &InstanceName,
    ingress: &IngressSpec,
    controller: Controller,
    cx: &mut Resolving<'_>,
) -> Option<BasicAuth> {
    let auth = asked(ingress)?;
    if controller == Controller::Other {
        cx.error(
            PATH,
            "is only possible with ingress-nginx and Traefik, whose classes have `nginx` or \
             `traefik` in their names; any other would lead everyone in without a password: turn it \
             off, and use `annotations`",
        );
    }
    let realm = text(auth.realm.as_ref()).unwrap_or(REALM);
    let realm = realm.to_owned();
    let is_traefik = controller == Controller::Traefik;
    let form = if is_traefik { SecretForm::Typed } else { SecretForm::Htpasswd };
    if controller == Controller::Traefik {
        cx.risk(
            PATH,
            "asks for a password only if the class belongs to Traefik: another controller lets \
             everyone in",
        );
    }
    if controller == Controller::Nginx {
        cx.risk(
            PATH,
            "asks for a password only if the class belongs to ingress-nginx: another controller \
             for nginx lets everyone in",
        );
    }
    if let Some(secret) = text(auth.existing_secret.as_ref()) {
        if text(auth.username.as_ref()).is_some() {
            cx.ineffective(
                format!("{PATH}.username"),
                "has no effect: the users are those of `existingSecret`",
            );
        }
        cx.about(SecretsReady, |cx| check_existing(secret, controller, cx));
        return Some(BasicAuth { secret: secret.to_owned(), realm, made: None, form });
    }
    let secret = match form {
        SecretForm::Typed => name.basic_auth_traefik(),
        SecretForm::Htpasswd => name.basic_auth(),
    };
    let made = Some(made(&secret, auth, cx));
    Some(BasicAuth { secret, realm, made, form })
}

fn check_existing(secret: &str, controller: Controller, cx: &mut Resolving<'_>) {
    let path = format!("{PATH}.existingSecret");
    if !is_subdomain(secret) {
        return;
    }
    let reference = Reference {
        path: &path,
        name: secret,
        missing: Some(Severity::Advice),
        unseen: "whether it is there could not be checked",
    };
    let keys = cx.secret(reference);
    if controller == Controller::Traefik {
        let pair = [BASIC_AUTH_USERNAME_KEY, BASIC_AUTH_PASSWORD_KEY];
        let has_pair = |keys: &Keys| pair.iter().all(|key| keys.contains_key(*key));
        if keys.is_some_and(|keys| keys.len() != 1 && !has_pair(keys)) {
            cx.ineffective(
                path.as_str(),
                "lets nobody in: Traefik reads a Secret with one key of any name, which has lines \
                 of htpasswd, or one of type `kubernetes.io/basic-auth`",
            );
        }
    } else if keys.is_some_and(|keys| !keys.contains_key(BASIC_AUTH_KEY)) {
        cx.lacks_key(Kind::Secret, reference, BASIC_AUTH_KEY);
    }
}

fn made(secret: &str, auth: &Asked, cx: &mut Resolving<'_>) -> MadeSecret {
    let username = text(auth.username.as_ref()).unwrap_or(USERNAME).to_owned();
    let path = format!("{PATH}.username");
    let seen = cx.secret_if_seen(secret).and_then(|keys| keys.get(BASIC_AUTH_USERNAME_KEY));
    if seen.is_some_and(|seen| *seen != hash::of(&username)) {
        cx.ineffective(
            path.as_str(),
            format!(
                "has no effect: Secret {secret:?} is for another user; delete it, and the operator \
                 makes another, with a new password"
            ),
        );
    }
    let is_there = cx.observed.objects.get(&ObjectKey::new(Kind::Secret, secret));
    let is_there = matches!(is_there, Some(Fact::Known(_)));
    let random = cx.observed.random_password.as_deref().filter(|_| !is_there);
    let content = random.and_then(|random| content(&username, random));
    MadeSecret { username, content }
}

/// Returns password and htpasswd line out of randomness.
fn content(username: &str, random: &str) -> Option<(String, String)> {
    let (password, salt) = random.split_at_checked(PASSWORD_LENGTH)?;
    let salt = u128::from_str_radix(salt, 16).ok()?.to_be_bytes();
    let mut terminated = password.as_bytes().to_vec();
    terminated.push(0);
    let hashed = bcrypt::bcrypt(COST, salt, &terminated);
    // The last byte is left out, as everyone does.
    let hashed = hashed.get(..23)?;
    let line = format!("{username}:$2y${COST:02}${}{}", encoded(&salt), encoded(hashed));
    Some((password.to_owned(), line))
}

/// Base 64 in bcrypt's alphabet, without padding.
fn encoded(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .enumerate()
            .fold(0_u32, |bits, (index, byte)| bits | u32::from(*byte) << (16 - 8 * index));
        let letters = (0..=three.len()).map(|index| bits >> (18 - 6 * index) & 63);
        let letters = letters.filter_map(|sextet| ALPHABET.get(sextet as usize));
        text.extend(letters.map(|letter| char::from(*letter)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{content, encoded};

    #[test]
    fn the_htpasswd_line_is_what_bcrypt_makes_of_the_password() {
        // Made by another implementation of bcrypt (Python's `bcrypt`).
        let random = "0123456789abcdef0123456789abcdef01234567".to_owned()
            + "000102030405060708090a0b0c0d0e0f";
        let (password, line) = content("ada", &random).unwrap();
        assert_eq!(password, "0123456789abcdef0123456789abcdef01234567");
        assert_eq!(line, "ada:$2y$10$..CA.uOD/eaGAOmJB.yMBusj3hPtIYJbvA8.z.jVPGE9Q5sRbYP0q");
    }

    #[test]
    fn what_is_not_random_enough_makes_nothing() {
        assert_eq!(content("ada", "00"), None);
        assert_eq!(content("ada", &"x".repeat(72)), None);
        assert_eq!(encoded(&[0, 1, 2, 3]), "..CA.u");
    }
}
