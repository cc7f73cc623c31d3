//! Where metrics are pushed to, as flags and the environment of OpenTelemetry say it.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::header::{HeaderName, HeaderValue};

/// What is appended to an endpoint of all signals, as OpenTelemetry wants it.
const METRICS: &str = "v1/metrics";

/// Where requests go.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Endpoint(Uri);

impl Endpoint {
    /// Reads the endpoint of all signals: a URL, below which metrics have a path of their own, or
    /// `HOST:PORT`, whose scheme `is_insecure` tells.
    pub(crate) fn of_all(text: &str, is_insecure: bool) -> Result<Self, &'static str> {
        let text = text.trim();
        let url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("{}://{text}", if is_insecure { "http" } else { "https" })
        };
        Self::exact(&format!("{}/{METRICS}", url.trim_end_matches('/')))
    }

    /// Reads the endpoint of metrics alone, which is used as it is.
    pub(crate) fn exact(text: &str) -> Result<Self, &'static str> {
        let wrong = "expected a URL such as http://collector:4318, or HOST:PORT";
        let uri: Uri = text.trim().parse().map_err(|_| wrong)?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        // A name and password would be in logs; headers are for that.
        let is_plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if is_http && has_host && is_plain { Ok(Self(uri)) } else { Err(wrong) }
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    /// Without a query, which may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self.0.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        write!(f, "{scheme}://{authority}{}", self.0.path())
    }
}

/// Headers of each request. Values are secrets.
#[derive(Clone, Default)]
pub(crate) struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(HeaderName, HeaderValue)> {
        self.0.iter()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl FromStr for Headers {
    type Err = &'static str;

    /// `key=value,key=value`, values percent-encoded, as OpenTelemetry wants it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "expected `key=value,key=value`";
        let header = |entry: &str| {
            let (name, value) = entry.split_once('=').ok_or(wrong)?;
            let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong)?;
            let value = decoded(value.trim()).ok_or(wrong)?;
            let mut value = HeaderValue::from_bytes(&value).map_err(|_| wrong)?;
            value.set_sensitive(true);
            Ok((name, value))
        };
        let entries = text.split(',').filter(|entry| !entry.trim().is_empty());
        entries.map(header).collect::<Result<_, _>>().map(Self)
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_read_as_opentelemetry_wants_it() {
        let of_all = |text, is_insecure| {
            Endpoint::of_all(text, is_insecure).map(|endpoint| endpoint.uri().to_string())
        };
        for (text, is_insecure, expected) in [
            ("http://collector:4318", false, "http://collector:4318/v1/metrics"),
            ("http://collector:4318/", true, "http://collector:4318/v1/metrics"),
            ("https://collector/base/", true, "https://collector/base/v1/metrics"),
            ("collector:4318", true, "http://collector:4318/v1/metrics"),
            ("collector:4318", false, "https://collector:4318/v1/metrics"),
            (" [::1]:4318 ", true, "http://[::1]:4318/v1/metrics"),
        ] {
            assert_eq!(of_all(text, is_insecure), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", "ftp://collector", "http://", "http://ada:secret@collector", "a b", "/x"] {
            assert!(of_all(text, true).is_err(), "{text}");
        }
        let exact = Endpoint::exact("https://collector/here?key=secret").expect("a URL");
        assert_eq!(exact.uri(), "https://collector/here?key=secret");
        assert_eq!(exact.to_string(), "https://collector/here");
    }

    #[test]
    fn headers_are_decoded_and_never_printed() {
        let headers: Headers = "x-key=a%20b, Authorization=Bearer%20t=".parse().expect("headers");
        let values: Vec<&[u8]> = headers.iter().map(|(_, value)| value.as_bytes()).collect();
        assert_eq!(values, [b"a b".as_slice(), b"Bearer t="]);
        assert_eq!(format!("{headers:?}"), "[\"x-key\", \"authorization\"]");
        for text in ["x", "=x", "x=%", "x=%zz", "x=%0a"] {
            assert!(text.parse::<Headers>().is_err(), "{text}");
        }
        assert_eq!("".parse::<Headers>().expect("none").iter().count(), 0);
    }
}
