//! Numbers and times, as one reads them: `12.4 ms`, `99 200`, `26 %`.
//!
//! The page says them in the same way (`page/js/words.js`).

/// A number with so many significant digits, or a whole one from a thousand on.
pub(crate) fn significant(x: f64, digits: usize) -> String {
    if x >= 999.5 {
        return format!("{x:.0}");
    }
    if x <= 0.0 {
        return "0".to_owned();
    }
    // The exponent after rounding, so that 9.996 is 10.0 and not 10.00.
    let rounded = format!("{x:.*e}", digits.saturating_sub(1));
    let exponent: i32 = rounded.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let after = i32::try_from(digits).unwrap_or(3) - 1 - exponent;
    format!("{x:.*}", usize::try_from(after.max(0)).unwrap_or(0))
}

/// A time in nanoseconds: 412 ns, 96.0 µs, 12.4 ms, 3.40 s, 2 min 05 s.
pub(crate) fn time(ns: u64) -> String {
    let x = ns as f64;
    match ns {
        0 => "0".to_owned(),
        1..1_000 => format!("{ns} ns"),
        1_000..999_500 => format!("{} µs", significant(x / 1e3, 3)),
        999_500..999_500_000 => format!("{} ms", significant(x / 1e6, 3)),
        999_500_000..59_950_000_000 => format!("{} s", significant(x / 1e9, 3)),
        _ => minutes((ns + 500_000_000) / 1_000_000_000),
    }
}

fn minutes(seconds: u64) -> String {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    if minutes < 60 {
        format!("{minutes} min {rest:02} s")
    } else {
        format!("{} h {:02} min", minutes / 60, minutes % 60)
    }
}

/// How often, where it takes so many nanoseconds for one more: `20 per second`, `one each 7.00 s`.
pub(crate) fn pace(every: u64) -> String {
    let units = [(1_u64, "second"), (60, "minute"), (3_600, "hour"), (86_400, "day")];
    let each = |(seconds, unit)| (seconds as f64 * 1e9 / every.max(1) as f64, unit);
    match units.map(each).into_iter().find(|(times, _)| *times > 0.999) {
        // A part that is no whole number of nanoseconds was cut.
        Some((times, unit)) if (times - times.round()).abs() < 1e-4 * times => {
            format!("{} per {unit}", count(times.round() as usize))
        }
        _ => format!("one each {}", time(every)),
    }
}

/// A count, its thousands apart.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            // A narrow space that no line breaks at.
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// "1 task", "12 tasks".
pub(crate) fn plural(n: usize, one: &str) -> String {
    format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A share of one, as percent.
pub(crate) fn percent(x: f64) -> String {
    if x > 0.0 && x < 0.005 { "<1 %".to_owned() } else { format!("{:.0} %", x * 100.0) }
}

/// The last part of a long name, which tells more than the first.
pub(crate) fn tail(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    std::iter::once('…').chain(text.chars().skip(length - (most - 1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_the_unit_that_fits() {
        let said = [0, 7, 999, 1_000, 12_345, 999_499, 999_500, 12_400_000, 3_400_000_000];
        assert_eq!(
            said.map(time),
            ["0", "7 ns", "999 ns", "1.00 µs", "12.3 µs", "999 µs", "1.00 ms", "12.4 ms", "3.40 s"]
        );
        assert_eq!(time(59_949_000_000), "59.9 s");
        assert_eq!(time(125_000_000_000), "2 min 05 s");
        assert_eq!(time(7_260_000_000_000), "2 h 01 min");
    }

    #[test]
    fn numbers_round_before_their_digits_are_counted() {
        assert_eq!(significant(9.996, 3), "10.0");
        assert_eq!(significant(0.012_34, 3), "0.0123");
        assert_eq!(significant(1234.6, 3), "1235");
        assert_eq!(significant(0.0, 3), "0");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!([percent(0.0), percent(0.001), percent(0.456)], ["0 %", "<1 %", "46 %"]);
        assert_eq!(tail("one::two::three", 8), "…::three");
    }
}
