//! Exact decimals.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

use crate::quote::quoted;

/// An exact decimal of at most 38 digits, before and after the point together.
///
/// Keeps the scale it was written with (`250000.00` has 2), unless only zeros at its end are too
/// many; equality and order are of the value.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    scale: u8,
}

const MAX_DIGITS: usize = 38;

impl Decimal {
    /// The largest integer that is not greater.
    pub fn floor(self) -> i128 {
        self.mantissa.div_euclid(self.unit())
    }

    /// What is left above the floor, times `units`, rounded half up.
    pub(crate) fn fraction_of(self, units: u32) -> Option<i128> {
        let unit = self.unit();
        let part = self.mantissa.rem_euclid(unit);
        // Digits beyond the 27th are far below what is asked for.
        let cut = 10_i128.pow(u32::from(self.scale).saturating_sub(27));
        let (part, unit) = (part / cut, unit / cut);
        let doubled = part.checked_mul(i128::from(units))?.checked_mul(2)?;
        Some(doubled.checked_add(unit)? / unit.checked_mul(2)?)
    }

    /// The value as an integer, if it is one.
    pub fn to_integer(self) -> Option<i128> {
        (self.mantissa % self.unit() == 0).then(|| self.mantissa / self.unit())
    }

    /// The exact product, if it has at most 38 digits.
    pub fn checked_mul(self, factor: Decimal) -> Option<Decimal> {
        let mantissa = self.mantissa.checked_mul(factor.mantissa)?;
        let scale = self.scale + factor.scale;
        Decimal::new(mantissa, usize::from(scale))
    }

    pub(crate) fn new(mut mantissa: i128, mut scale: usize) -> Option<Decimal> {
        while scale > MAX_DIGITS && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        let fits = scale <= MAX_DIGITS && mantissa.unsigned_abs() < 10_u128.pow(38);
        fits.then(|| Decimal {
            mantissa,
            scale: u8::try_from(scale).expect("at most 38"),
        })
    }

    fn unit(self) -> i128 {
        10_i128.pow(self.scale.into())
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Decimal {
        Decimal {
            mantissa: number.into(),
            scale: 0,
        }
    }
}

/// Reads `-12.50`, `1e3`, `+007`: digits on both sides of a point, never a separator of thousands.
impl FromStr for Decimal {
    type Err = String;

    fn from_str(text: &str) -> Result<Decimal, String> {
        let parts = Parts::of(text).ok_or_else(|| format!("{} is not a decimal", quoted(text)))?;
        parts
            .decimal()
            .ok_or_else(|| format!("{} has more than 38 digits", quoted(text)))
    }
}

struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl Parts<'_> {
    fn of(text: &str) -> Option<Parts<'_>> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent_of(exponent)?),
            None => (text, 0),
        };
        let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        let all_digits = [whole, fraction]
            .iter()
            .all(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
        (all_digits && !whole.is_empty()).then_some(Parts {
            negative: text.starts_with('-'),
            whole,
            fraction,
            exponent,
        })
    }

    fn decimal(self) -> Option<Decimal> {
        let mut mantissa: i128 = 0;
        // Zeros wait until another digit needs them, so that those at the end cost no room.
        let mut zeros = 0;
        for byte in self.whole.bytes().chain(self.fraction.bytes()) {
            if byte == b'0' {
                zeros += u32::from(mantissa != 0);
                continue;
            }
            mantissa = shifted(mantissa, zeros + 1)?.checked_add((byte - b'0').into())?;
            zeros = 0;
        }
        if self.negative {
            mantissa = -mantissa;
        }
        let written = i64::try_from(self.fraction.len()).ok()? - self.exponent;
        let needed = written - i64::from(zeros);
        let as_written = written.clamp(0, 38);
        if mantissa == 0 {
            return Decimal::new(0, usize::try_from(as_written).ok()?);
        }
        [as_written, needed.max(0)].into_iter().find_map(|scale| {
            let shift = u32::try_from(scale - needed).ok()?;
            Decimal::new(shifted(mantissa, shift)?, usize::try_from(scale).ok()?)
        })
    }
}

fn shifted(mantissa: i128, places: u32) -> Option<i128> {
    mantissa.checked_mul(10_i128.checked_pow(places)?)
}

/// An exponent too long for an integer is as good as a million: far outside 38 digits.
fn exponent_of(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    Some(sign * digits.parse().unwrap_or(1_000_000).min(1_000_000))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs();
        let unit = self.unit().unsigned_abs();
        match usize::from(self.scale) {
            0 => write!(f, "{sign}{digits}"),
            scale => write!(f, "{sign}{}.{:0scale$}", digits / unit, digits % unit),
        }
    }
}

/// A JSON number with all its digits.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string())
            .map_err(S::Error::custom)?
            .serialize(to)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        // Below the point there are fewer than 38 digits, so aligning them cannot overflow.
        let scale = self.scale.max(other.scale);
        let part = |it: &Decimal| {
            let aligned = 10_i128.pow(u32::from(scale - it.scale));
            (it.floor(), it.mantissa.rem_euclid(it.unit()) * aligned)
        };
        part(self).cmp(&part(other))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        let got = match text.parse::<Decimal>() {
            Ok(number) => number.to_string(),
            Err(reason) => reason,
        };
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn a_decimal_keeps_the_form_it_was_written_in() {
        check("0", "0");
        check("-0.00", "0.00");
        check("+007.50", "7.50");
        check("-0.05", "-0.05");
        check("1e3", "1000");
        check("1.50E+1", "15.0");
        check("15e-3", "0.015");
        check("0e999999999999", "0");
        check(&format!("1.5{}", "0".repeat(100)), "1.5");
    }

    #[test]
    fn a_decimal_has_at_most_38_digits() {
        let nines = "9".repeat(38);
        check(&nines, &nines);
        check(&format!("-0.{nines}"), &format!("-0.{nines}"));
        for long in [
            format!("{nines}0"),
            format!("0.{nines}1"),
            "1e38".to_owned(),
            "1e-39".to_owned(),
            "1e99999999999999999999".to_owned(),
        ] {
            check(&long, &format!("{} has more than 38 digits", quoted(&long)));
        }
    }

    #[test]
    fn what_is_not_a_decimal_is_refused() {
        for text in [
            "", "-", ".", ".5", "5.", "1,5", "1 000", "0x1", "nan", "inf", "1e", "1e1.5", "--1",
            "١",
        ] {
            check(text, &format!("{text:?} is not a decimal"));
        }
    }

    fn any_decimal() -> impl Strategy<Value = Decimal> {
        let most = 10_i128.pow(38) - 1;
        (-most..=most, 0..=38_usize)
            .prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale).unwrap())
    }

    proptest! {
        #[test]
        fn its_text_reads_as_the_same_decimal(number in any_decimal()) {
            let read: Decimal = number.to_string().parse().unwrap();
            prop_assert_eq!((read.mantissa, read.scale), (number.mantissa, number.scale));
        }

        #[test]
        fn order_is_that_of_the_value(a in -2000..2000_i64, b in -2000..2000_i64, scale in 0..30_usize) {
            let a_scaled = Decimal::new(i128::from(a) * 10_i128.pow(scale as u32), scale).unwrap();
            prop_assert_eq!(a_scaled.cmp(&Decimal::from(b)), a.cmp(&b));
            prop_assert_eq!(a_scaled.to_integer(), Some(a.into()));
        }
    }
}
