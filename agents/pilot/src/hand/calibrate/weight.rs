//! What a scale shows, and whether a valve can have given it.

use bramble_rig::calibration::WATER;
use bramble_value::Span;

/// A flow that no valve for animals has, in microliters a second: a weight that
/// says so is in milligrams.
const MOST: f64 = 10_000.0;

/// A flow below that of any valve that works.
const LEAST: f64 = 0.1;

/// Grams as they are typed: `0.41`, `0,41`, `0.41 g`, `410 mg`.
pub(super) fn grams(text: &str) -> Result<f64, String> {
    let text = text.trim().replace(',', ".");
    let (number, scale) = match (text.strip_suffix("mg"), text.strip_suffix('g')) {
        (Some(number), _) => (number, 1e-3),
        (None, Some(number)) => (number, 1.0),
        (None, None) => (text.as_str(), 1.0),
    };
    let number: Result<f64, _> = number.trim().parse();
    match number {
        Ok(number) if number.is_finite() => Ok(number * scale),
        _ => Err(format!("`{text}` is no weight: type the grams that the scale shows, as in 0.41")),
    }
}

/// Whether a valve can have given so much.
pub(super) fn plausible(grams: f64, open: Span, pulses: u32) -> Result<(), String> {
    let flow = grams * 1e3 / WATER / f64::from(pulses) / open.seconds();
    if !grams.is_finite() || grams <= 0.0 {
        Err(format!(
            "{grams} g can't be what {pulses} openings of {open} gave: tare the scale with the empty cup before, \
             and weigh it with the water after"
        ))
    } else if flow > MOST {
        Err(format!(
            "{grams} g in {pulses} openings of {open} is a flood: are these milligrams? Grams, please"
        ))
    } else if flow < LEAST {
        Err(format!(
            "{grams} g in {pulses} openings of {open} is next to nothing: look whether the tube is full and the \
             valve clicks, or open it for longer"
        ))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_are_read_as_people_type_them() {
        for (text, expected) in
            [("0.41", 0.41), ("0,41", 0.41), (" 0.41 g", 0.41), ("410 mg", 0.41), ("1e-1g", 0.1)]
        {
            assert!((grams(text).unwrap() - expected).abs() < 1e-12, "{text}");
        }
        for text in ["", "heavy", "nan", "inf g", "0.4.1"] {
            assert!(grams(text).unwrap_err().contains("is no weight"), "{text}");
        }
    }

    #[test]
    fn a_weight_that_no_valve_gives_is_refused_with_what_to_look_at() {
        let (open, pulses) = (Span::from_ms(40), 100);
        assert_eq!(plausible(0.16, open, pulses), Ok(()));
        for (grams, says) in [
            (-0.1, "tare the scale"),
            (0.0, "tare the scale"),
            (f64::NAN, "tare the scale"),
            (160.0, "milligrams"),
            (0.0001, "the tube is full"),
        ] {
            let why = plausible(grams, open, pulses).unwrap_err();
            assert!(why.contains(says), "{grams}: {why}");
        }
    }
}
