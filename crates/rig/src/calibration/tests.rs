use proptest::prelude::*;

use super::*;

fn valve() -> Valve {
    Valve { device: "valve".parse().unwrap(), port: Some("left".parse().unwrap()) }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Openings that gave these volumes each, in microliters of water.
fn weighed(volumes: &[(u32, f64)]) -> Vec<Point> {
    let point = |&(ms, microliters): &(u32, f64)| Point {
        open: Span::from_ms(ms),
        pulses: 100,
        grams: microliters * 100.0 * WATER / 1e3,
    };
    volumes.iter().map(point).collect()
}

fn calibrated(volumes: &[(u32, f64)]) -> Result<Calibration, FitError> {
    Calibration::new(valve(), at("2026-03-01T10:00:00Z"), WATER, weighed(volumes))
}

fn volume(text: &str) -> Volume {
    text.parse().unwrap()
}

#[test]
fn a_volume_is_the_time_at_which_the_line_gives_it() {
    // 50 uL/s, and 0.5 uL less each time while the valve opens.
    let calibration = calibrated(&[(30, 1.0), (50, 2.0), (90, 4.0), (130, 6.0)]).unwrap();
    assert!((calibration.fit().microliters_per_second() - 50.0).abs() < 1e-6);
    assert!((calibration.fit().offset() + 0.5).abs() < 1e-6);
    assert_eq!(calibration.duration_of(volume("3 uL")).unwrap().seconds(), 0.07);
    assert_eq!(calibration.duration_of(volume("0 uL")), Ok(Span::ZERO));
    assert!((calibration.volume_of(Span::from_ms(110)) - 5.0).abs() < 1e-9);
    assert_eq!(calibration.volume_of(Span::ZERO), 0.0);
    assert_eq!(calibration.volume_of(Span::from_ms(1)), 0.0, "a valve gives no less than nothing");
}

#[test]
fn a_volume_beyond_what_was_measured_is_refused_with_what_to_do() {
    let calibration = calibrated(&[(30, 1.0), (130, 6.0)]).unwrap();
    assert!(calibration.duration_of(volume("0.96 uL")).is_ok(), "a twentieth beyond is allowed");
    assert!(calibration.duration_of(volume("6.3 uL")).is_ok());
    assert!(calibration.duration_of(volume("0.9 uL")).is_err());
    let why = calibration.duration_of(volume("12 uL")).unwrap_err().to_string();
    assert_eq!(
        why,
        "`valve.left` was calibrated for 0.95 to 6.30 uL, and 12 uL is outside: measure openings that \
         give as much, with `bramble-pilot calibrate valve left`"
    );
}

#[test]
fn the_scatter_of_the_points_says_how_sure_a_volume_is() {
    let calibration = calibrated(&[(20, 1.1), (40, 1.9), (60, 3.1), (80, 3.9)]).unwrap();
    let fit = calibration.fit();
    // By hand: mean 50 ms and 2.5 uL, slope 48 uL/s; the residuals are 0.04,
    // -0.12, 0.12, -0.04.
    assert!((fit.microliters_per_second() - 48.0).abs() < 1e-6);
    let expected = [0.04, -0.12, 0.12, -0.04];
    for (residual, expected) in fit.residuals(calibration.points(), WATER).iter().zip(expected) {
        assert!((residual - expected).abs() < 1e-6, "{residual} is not {expected}");
    }
    // The residuals' squares sum to 0.032 over 2 degrees of freedom: 0.016 uL^2
    // for one point, a quarter of that in the middle.
    let middle = fit.standard_error(Span::from_ms(50)).unwrap();
    assert!((middle - (0.016_f64 / 4.0).sqrt()).abs() < 1e-6, "{middle}");
    assert!(fit.standard_error(Span::from_ms(80)).unwrap() > middle);
    assert!((fit.r_squared() - (1.0 - 0.032 / 4.64)).abs() < 1e-6);
    let two = calibrated(&[(20, 1.0), (40, 2.0)]).unwrap();
    assert_eq!(two.fit().standard_error(Span::from_ms(30)), None, "two points don't tell");
}

#[test]
fn openings_that_were_more_often_weighed_count_for_more() {
    let mut points = weighed(&[(20, 1.0), (40, 2.0), (60, 3.0), (60, 3.2)]);
    let even = Calibration::new(valve(), Timestamp::UNIX_EPOCH, WATER, points.clone()).unwrap();
    points[2].pulses = 1000;
    points[2].grams *= 10.0;
    let uneven = Calibration::new(valve(), Timestamp::UNIX_EPOCH, WATER, points).unwrap();
    let off = |one: &Calibration| one.volume_of(Span::from_ms(60)) - 3.0;
    assert!(off(&uneven) < off(&even) / 2.0);
}

#[test]
fn a_heavier_liquid_is_less_of_it() {
    let points = vec![
        Point { open: Span::from_ms(20), pulses: 10, grams: 0.0104 },
        Point { open: Span::from_ms(40), pulses: 10, grams: 0.0208 },
    ];
    let sugar = Calibration::new(valve(), Timestamp::UNIX_EPOCH, 1.04, points).unwrap();
    assert!((sugar.volume_of(Span::from_ms(20)) - 1.0).abs() < 1e-9);
}

#[test]
fn measurements_that_say_nothing_are_refused_with_the_reason() {
    for (volumes, says) in [
        (&[][..], "0 length(s) were weighed: at least 2"),
        (&[(20, 1.0), (20, 1.1)], "1 length(s) were weighed"),
        (&[(20, 2.0), (40, 1.0)], "longer openings gave no more"),
        (&[(20, 2.0), (40, 2.0)], "longer openings gave no more"),
        (&[(0, 2.0), (40, 2.0)], "the measurement of 0 s has no openings"),
        (&[(20, 0.0), (40, 2.0)], "100 openings of 20 ms weighed 0 g"),
        (&[(20, -1.0), (40, 2.0)], "weigh what came out, in grams"),
        (&[(20, f64::NAN), (40, 2.0)], "weighed NaN g"),
        (&[(20, f64::INFINITY), (40, 2.0)], "weighed inf g"),
        (&[(20, 3.0), (30, 3.9), (40, 3.1), (50, 3.8)], "hardly follow the time"),
        (&[(20, 1.0), (40, 2.0), (60, 3.7), (80, 4.0)], "the opening of 60 ms gave 3.70 uL, 13 % off"),
    ] {
        let why = calibrated(volumes).unwrap_err().to_string();
        assert!(why.contains(says), "{volumes:?}: {why}");
    }
    let points = weighed(&[(20, 1.0), (40, 2.0)]);
    for density in [0.0, -1.0, f64::NAN] {
        let refused = Calibration::new(valve(), Timestamp::UNIX_EPOCH, density, points.clone());
        assert!(matches!(refused, Err(FitError::Density(_))));
    }
}

#[test]
fn a_calibration_of_tomorrow_is_not_old() {
    let calibration = calibrated(&[(20, 1.0), (40, 2.0)]).unwrap();
    assert_eq!(calibration.age(at("2026-03-01T10:00:05Z")), Span::from_s(5));
    assert_eq!(calibration.age(at("2026-02-01T00:00:00Z")), Span::ZERO);
}

#[test]
fn the_newest_calibration_counts_and_the_older_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let made = |time: &str, volumes: &[(u32, f64)]| {
        let calibration = Calibration::new(valve(), at(time), WATER, weighed(volumes)).unwrap();
        save(folder.path(), &calibration).unwrap()
    };
    let older = made("2026-03-01T10:00:00Z", &[(20, 1.0), (40, 2.0)]);
    let newer = made("2026-03-02T10:00:00Z", &[(20, 2.0), (40, 4.0)]);
    assert_eq!(newer, folder.path().join("valve.left/2026-03-02T10-00-00.000Z.toml"));

    let read = Calibrations::read(folder.path()).unwrap();
    let newest = read.of(&valve()).unwrap().as_ref().unwrap();
    assert!((newest.fit().microliters_per_second() - 100.0).abs() < 1e-6);
    assert!(older.exists());
    let left = std::fs::read_dir(folder.path().join("valve.left")).unwrap().count();
    assert_eq!(left, 2, "nothing half-written is left");

    let other = Valve { port: None, ..valve() };
    assert!(read.of(&other).is_none());
    let kept: Vec<_> = kept(folder.path()).unwrap().into_iter().map(|one| one.file).collect();
    assert_eq!(kept, [older, newer]);
}

#[test]
fn a_calibration_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let calibration = calibrated(&[(20, 1.0), (40, 2.0)]).unwrap();
    save(folder.path(), &calibration).unwrap();
    let again = save(folder.path(), &calibration).unwrap_err();
    assert!(again.to_string().contains("2026-03-01T10-00-00.000Z.toml"), "{again}");
}

#[test]
fn a_calibration_is_refused_where_one_of_a_later_date_would_count_instead() {
    let folder = tempfile::tempdir().unwrap();
    let ahead =
        Calibration::new(valve(), at("2031-01-01T00:00:00Z"), WATER, weighed(&[(20, 1.0), (40, 2.0)]));
    let ahead = save(folder.path(), &ahead.unwrap()).unwrap();
    let refused = save(folder.path(), &calibrated(&[(20, 2.0), (40, 4.0)]).unwrap()).unwrap_err();
    let why = refused.to_string();
    assert!(why.contains("2031-01-01T00-00-00.000Z.toml") && why.contains("clock"), "{why}");
    assert!(
        later(folder.path(), &valve(), at("2026-03-01T10:00:00Z")).is_err(),
        "known before it is weighed"
    );
    std::fs::remove_file(ahead).unwrap();
    assert!(later(folder.path(), &valve(), at("2026-03-01T10:00:00Z")).is_ok());
}

#[test]
fn a_calibration_of_a_simulated_valve_says_so_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let real = calibrated(&[(20, 1.0), (40, 2.0)]).unwrap();
    assert!(!toml::to_string(&real).unwrap().contains("simulated"));
    let file = save(folder.path(), &real.clone().of_simulated()).unwrap();
    assert!(std::fs::read_to_string(&file).unwrap().contains("\nsimulated = true\n"));
    let read = Calibrations::read(folder.path()).unwrap();
    assert!(read.of(&valve()).unwrap().as_ref().unwrap().is_simulated() && !real.is_simulated());
}

#[test]
fn a_damaged_file_is_named_to_whom_its_valve_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let calibration = calibrated(&[(20, 1.0), (40, 2.0)]).unwrap();
    let file = save(folder.path(), &calibration).unwrap();
    let whole = std::fs::read_to_string(&file).unwrap();
    for (damaged, says) in [
        (whole[..whole.len() / 2].to_owned(), "is damaged"),
        (String::new(), "missing field `device`"),
        (whole.replace("pulses = 100", "pulses = 0"), "has no openings"),
        (whole.replace("microliters_per_second = 5", "microliters_per_second = 6"), "instead of changing"),
        (whole.replace("device = \"valve\"", "device = \"spout\""), "it is one of `spout.left`"),
    ] {
        assert_ne!(damaged, whole);
        std::fs::write(&file, &damaged).unwrap();
        let read = Calibrations::read(folder.path()).unwrap();
        let why = read.of(&valve()).unwrap().as_ref().unwrap_err();
        assert!(why.contains(says) && why.contains("2026-03-01T10-00-00.000Z.toml"), "{damaged}: {why}");
        assert!(why.contains("`bramble-pilot calibrate valve left`"), "{why}");
    }
}

#[test]
fn a_machine_without_calibrations_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let read = Calibrations::read(&folder.path().join("calibrations")).unwrap();
    assert!(read.of(&valve()).is_none());
    std::fs::create_dir_all(folder.path().join("valve.left")).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "weighed by Kim").unwrap();
    assert!(Calibrations::read(folder.path()).unwrap().of(&valve()).is_none());
}

proptest! {
    #[test]
    fn a_true_line_is_found_and_goes_both_ways(
        slope in 5.0..500.0_f64,
        offset in -0.05..0.2_f64,
        lengths in prop::collection::btree_set(20_u32..500, 2..8),
        share in 0.0..1.0_f64,
    ) {
        let volumes: Vec<(u32, f64)> =
            lengths.iter().map(|ms| (*ms, offset + slope * f64::from(*ms) / 1e3)).collect();
        let calibration = calibrated(&volumes).unwrap();
        prop_assert!((calibration.fit().microliters_per_second() / slope - 1.0).abs() < 1e-6);
        prop_assert!((calibration.fit().offset() - offset).abs() < 1e-6);
        let (lowest, highest) = calibration.range();
        let wanted = Volume::from_microliters(lowest + share * (highest - lowest)).unwrap();
        if let Ok(open) = calibration.duration_of(wanted) {
            // A nanosecond more or less of the fastest valve.
            prop_assert!((calibration.volume_of(open) - wanted.microliters()).abs() < 1e-6);
        } else {
            prop_assert!(wanted.microliters() < volumes[0].1, "only below the least may it fail");
        }
    }

    #[test]
    fn what_is_written_is_read_again(
        scatter in prop::collection::vec(-0.03..0.03_f64, 3..6),
        pulses in 1_u32..1000,
    ) {
        let points = scatter.iter().zip(1_u32..).map(|(off, n)| Point {
            open: Span::from_ms(20 * n),
            pulses,
            grams: f64::from(n) * (1.0 + off) * f64::from(pulses) / 1e3,
        });
        let calibration =
            Calibration::new(valve(), at("2026-03-01T10:00:00.123Z"), WATER, points.collect()).unwrap();
        let text = toml::to_string(&calibration).unwrap();
        prop_assert_eq!(&toml::from_str::<Calibration>(&text).unwrap(), &calibration);
        let json = serde_json::to_value(&calibration).unwrap();
        prop_assert_eq!(serde_json::from_value::<Calibration>(json).unwrap(), calibration);
    }

    #[test]
    fn no_measurements_panic(points in prop::collection::vec(
        (any::<i64>(), any::<u32>(), any::<f64>()), 0..5), density in any::<f64>())
    {
        let points = points.into_iter().map(|(open, pulses, grams)| {
            Point { open: Span::from_ns(open.max(0)), pulses, grams }
        });
        if let Ok(calibration) = Calibration::new(valve(), Timestamp::UNIX_EPOCH, density, points.collect()) {
            let (lowest, highest) = calibration.range();
            prop_assert!(lowest <= highest);
        }
    }
}
