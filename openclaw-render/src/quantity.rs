//! Kubernetes quantities: `500m`, `1536Mi`, `12e6`.
//!
//! The API server stores a quantity in canonical form: nothing is lost, the mantissa is an integer,
//! and the suffix is as large as that allows. What we apply must be in that form, or what is stored
//! would differ from what was sent for ever. The rules are those of `resource.Quantity` in
//! k8s.io/apimachinery; `tests/data/quantities.tsv` holds what that code answers.

use std::cmp::Ordering;
use std::fmt;

/// Nano-units in one unit: the finest step that a quantity can express.
const NANO: i128 = 1_000_000_000;

/// The finest step of a resource's amount.
const MILLI: i128 = 1_000_000;

/// A binary quantity never exceeds this; Kubernetes caps it instead of refusing it.
const BINARY_MAXIMUM: u128 = i64::MAX as u128 * NANO as u128;

const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL_SUFFIXES: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// The text is not a number followed by a suffix.
    Format,
    /// The number is fine, the suffix is none that Kubernetes knows.
    Suffix,
    /// Larger than about 10^29, or more digits than can be told apart.
    Range,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => "is not a quantity such as 500m, 1.5 or 2Gi",
            Self::Suffix => "has an unknown suffix: n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei and e3 are known",
            Self::Range => "is too large or has too many digits",
        })
    }
}

impl std::error::Error for QuantityError {}

/// The family of suffixes that a quantity was written with; it keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Decimal,
    Exponent,
    Binary,
}

/// An amount, exact to a billionth. Ordered and equal by value: `1024Mi` equals `1Gi`.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nanos: i128,
    family: Family,
}

impl Quantity {
    /// The amount in billionths.
    #[must_use]
    pub fn nanos(self) -> i128 {
        self.nanos
    }

    /// Whether the amount is below zero. Kubernetes parses such amounts and refuses them later.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// The amount rounded up to thousandths, as the API server does with amounts of resources.
    #[must_use]
    pub fn rounded_up_to_milli(self) -> Self {
        let thousandths = self.nanos.saturating_add(MILLI - 1).div_euclid(MILLI);
        Self { nanos: thousandths.saturating_mul(MILLI), ..self }
    }

    /// The amount in whole units (bytes, for memory and storage), rounded up.
    ///
    /// `None` when it is negative or does not fit.
    #[must_use]
    pub fn bytes(self) -> Option<u64> {
        let nanos = u128::try_from(self.nanos).ok()?;
        u64::try_from(nanos.div_ceil(NANO.unsigned_abs())).ok()
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

/// The canonical form.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let whole = self.nanos / NANO;
        // Below 1024, and where a fraction would be lost, binary amounts are written decimally.
        if self.family == Family::Binary && self.nanos % NANO == 0 && whole.abs() >= 1024 {
            let (mantissa, power) = without_factor(whole, 1024, BINARY_SUFFIXES.len() - 1);
            return write!(f, "{mantissa}{}", BINARY_SUFFIXES.get(power).unwrap_or(&""));
        }
        let steps = match self.family {
            Family::Exponent => usize::MAX,
            Family::Decimal | Family::Binary => DECIMAL_SUFFIXES.len() - 1,
        };
        let (mantissa, power) = without_factor(self.nanos, 1000, steps);
        match (self.family, DECIMAL_SUFFIXES.get(power)) {
            (Family::Decimal | Family::Binary, Some((suffix, _))) => {
                write!(f, "{mantissa}{suffix}")
            }
            // 10^0 has no exponent, in either family.
            (Family::Exponent, _) if power == 3 => write!(f, "{mantissa}"),
            _ => write!(f, "{mantissa}e{}", i64::try_from(power).unwrap_or(0) * 3 - 9),
        }
    }
}

/// Divides by `factor` as often as nothing is left over, `limit` times at most.
fn without_factor(mut value: i128, factor: i128, limit: usize) -> (i128, usize) {
    let mut times = 0;
    while times < limit && value != 0 && value % factor == 0 {
        value /= factor;
        times += 1;
    }
    (value, times)
}

/// Reads a quantity as Kubernetes does: amounts finer than a billionth are rounded away from zero,
/// binary amounts are capped at 2^63-1.
///
/// Stricter than `resource.Quantity` in one point, as CRD schemas are: there must be a digit.
///
/// # Errors
/// See [`QuantityError`].
pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let (integer, rest) = split_digits(unsigned);
    let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    if integer.is_empty() && fraction.is_empty() {
        return Err(QuantityError::Format);
    }
    let fraction = fraction.trim_end_matches('0');
    let (family, decimal, binary) = read_suffix(suffix)?;
    let digits = format!("{integer}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(Quantity { nanos: 0, family });
    }
    let mantissa: u128 = digits.parse().map_err(|_| QuantityError::Range)?;
    let mantissa = mantissa.checked_mul(1 << binary).ok_or(QuantityError::Range)?;
    let places = i64::try_from(fraction.len()).map_err(|_| QuantityError::Range)?;
    let mut nanos = shift(mantissa, decimal.saturating_sub(places).saturating_add(9))?;
    if family == Family::Binary {
        nanos = nanos.min(BINARY_MAXIMUM);
    }
    let nanos = i128::try_from(nanos).map_err(|_| QuantityError::Range)?;
    Ok(Quantity { nanos: if negative { -nanos } else { nanos }, family })
}

/// The canonical form of a quantity: what the API server stores.
///
/// ```
/// use openclaw_render::quantity::canonical;
///
/// assert_eq!(canonical("1024Mi").as_deref(), Ok("1Gi"));
/// assert_eq!(canonical("0.5").as_deref(), Ok("500m"));
/// ```
///
/// # Errors
/// See [`parse`].
pub fn canonical(text: &str) -> Result<String, QuantityError> {
    parse(text).map(|quantity| quantity.to_string())
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Family, power of ten and power of two of a suffix.
fn read_suffix(suffix: &str) -> Result<(Family, i64, u32), QuantityError> {
    if let Some((_, exponent)) = DECIMAL_SUFFIXES.iter().find(|(name, _)| *name == suffix) {
        return Ok((Family::Decimal, i64::from(*exponent), 0));
    }
    if let Some(power) = BINARY_SUFFIXES.iter().position(|name| *name == suffix) {
        let power = u32::try_from(power).map_err(|_| QuantityError::Suffix)?;
        return Ok((Family::Binary, 0, power * 10));
    }
    let exponent = suffix.strip_prefix(['e', 'E']).ok_or(QuantityError::Suffix)?;
    let exponent = exponent.parse::<i32>().map_err(|_| QuantityError::Suffix)?;
    Ok((Family::Exponent, i64::from(exponent), 0))
}

/// `value * 10^power`, rounded up where it is no integer.
fn shift(value: u128, power: i64) -> Result<u128, QuantityError> {
    let factor = u32::try_from(power.unsigned_abs()).ok().and_then(|n| 10_u128.checked_pow(n));
    match (power < 0, factor) {
        (false, Some(factor)) => value.checked_mul(factor).ok_or(QuantityError::Range),
        (false, None) => Err(QuantityError::Range),
        (true, Some(factor)) => Ok(value.div_ceil(factor)),
        (true, None) => Ok(u128::from(value > 0)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{QuantityError, canonical, parse};

    #[test]
    fn canonical_forms_are_those_of_kubernetes() {
        let table = include_str!("../tests/data/quantities.tsv");
        let rows = table.lines().filter(|line| !line.starts_with('#'));
        let rows: Vec<_> = rows.filter_map(|line| line.split_once('\t')).collect();
        assert!(rows.len() > 200, "the table has shrunk to {} rows", rows.len());
        for (input, output) in rows {
            assert_eq!(canonical(input).as_deref(), Ok(output), "{input}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "a", "Gi", "+", "-", ".", "1.2.3", "1 Gi", " 1", "--1", "0x10", "１"] {
            assert!(matches!(canonical(text), Err(QuantityError::Format | QuantityError::Suffix)));
        }
        for text in ["1x", "1e", "1ki", "1K", "1e3.5", "1Gib", "1e+", "1e-", "1eE"] {
            assert_eq!(canonical(text), Err(QuantityError::Suffix), "{text}");
        }
        for text in ["1e40", "1e2000000000", "123456789012345678901234567890123456789012"] {
            assert_eq!(canonical(text), Err(QuantityError::Range), "{text}");
        }
    }

    #[test]
    fn amounts_compare_by_value_across_families() {
        let value = |text| parse(text).expect("a quantity");
        assert_eq!(value("1024Mi"), value("1Gi"));
        assert_eq!(value("1000m"), value("1"));
        assert!(value("1G") < value("1Gi"));
        assert!(value("-1") < value("0"));
        assert!(value("-1m").is_negative() && !value("0").is_negative());
    }

    #[test]
    fn bytes_are_rounded_up_and_never_negative() {
        let bytes = |text| parse(text).expect("a quantity").bytes();
        assert_eq!(bytes("1Gi"), Some(1 << 30));
        assert_eq!(bytes("1500m"), Some(2));
        assert_eq!(bytes("1n"), Some(1));
        assert_eq!(bytes("-1"), None);
        assert_eq!(bytes("1000E"), None);
    }

    #[test]
    fn amounts_of_resources_have_whole_thousandths() {
        let milli = |text| parse(text).expect("a quantity").rounded_up_to_milli().to_string();
        for (text, stored) in [
            ("0", "0"),
            ("1n", "1m"),
            ("0.1m", "1m"),
            ("1e-4", "1e-3"),
            ("1.0005", "1001m"),
            ("1.999999999Ki", "2Ki"),
            ("1500m", "1500m"),
            ("-1u", "0"),
        ] {
            assert_eq!(milli(text), stored, "{text}");
        }
    }

    proptest! {
        #[test]
        fn canonical_form_is_stable_and_keeps_the_value(
            text in r"[+-]?[0-9]{1,6}(\.[0-9]{0,6})?(|n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9])"
        ) {
            let once = canonical(&text).expect("a quantity");
            prop_assert_eq!(canonical(&once), Ok(once.clone()));
            prop_assert_eq!(parse(&once), parse(&text));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in r"[+-]?[0-9.eEKMGimnu+-]{0,50}|\PC{0,8}") {
            let _ = canonical(&text);
        }
    }
}
