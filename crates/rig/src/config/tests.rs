use bramble_config::{Fault, mistakes, parse};
use proptest::prelude::*;

use super::*;
use crate::driver::Purpose;

#[derive(Debug, Deserialize)]
struct File {
    rig: WrittenRig,
}

const RIG: &str = r#"
[rig]
chip = "pinctrl-bcm2711"
watchdog = "100 ms"
core = 3
calibration_age = "14 d"

[rig.devices.poke]
kind = "digital_input"
driver = "gpiocdev"
ports = { left = 17, center = "GPIO27", right = "header 15" }
active = "low"
pull = "up"
debounce = "1 ms"

[rig.devices.valve]
kind = "solenoid"
driver = "rppal"
ports = { left = 5, right = 6 }
longest_on = "5 s"

[rig.devices.lamp]
kind = "level_output"
driver = "gpiocdev"
chip = "gpiochip2"
pin = 3
frequency = "500 Hz"
safe = "100 %"

[rig.devices.running]
kind = "encoder"
driver = "gpiocdev"
pins = { a = 23, b = 24 }
unit = "mm"
counts_per_unit = -12.5

[rig.devices.drops]
kind = "solenoid"
driver = "simulated"
flow = "40 uL/s"

[rig.devices.wheel]
kind = "encoder"
driver = "child"
child = "wheel-child"
unit = "mm"

[rig.sync_output]
driver = "gpiocdev"
pin = 26
pattern = "barcode"
every = "10 s"

[rig.sync_input]
driver = "gpiocdev"
pin = 19
pull = "down"
"#;

fn read(text: &str) -> Result<RigConfig, Vec<Fault>> {
    parse::<File>("pilot.toml", text).unwrap().rig.read()
}

fn pin(number: u32) -> Pin {
    Pin::new(number)
}

#[test]
fn a_rig_is_read_with_its_units_and_its_pins() {
    let rig = read(RIG).unwrap();
    let device = |name: &str| &rig.devices[&name.parse().unwrap()];
    assert_eq!(rig.watchdog, Span::from_ms(100));
    assert_eq!((rig.core, rig.calibration_age), (Some(3), Span::from_s(14 * 24 * 3600)));
    let poke = device("poke");
    assert_eq!(poke.driver, DriverConfig::Gpiocdev { chip: "pinctrl-bcm2711".into() });
    let Lines::Ports(ports) = &poke.lines else { panic!("it has ports") };
    assert_eq!(ports.values().copied().collect::<Vec<_>>(), [pin(27), pin(17), pin(22)]);
    assert_eq!((poke.active, poke.pull, poke.debounce), (Active::Low, Pull::Up, Some(Span::from_ms(1))));
    assert_eq!(device("valve").longest_on, Some(Span::from_s(5)));
    assert_eq!(device("lamp").driver, DriverConfig::Gpiocdev { chip: "gpiochip2".into() });
    assert_eq!(device("running").lines, Lines::Quadrature { a: pin(23), b: pin(24) });
    let flow = device("drops").flow.unwrap();
    assert_eq!(flow.duration_of("4 uL".parse().unwrap()), Span::from_ms(100));
    let wheel = device("wheel");
    assert_eq!(wheel.driver, DriverConfig::Child("wheel-child".parse().unwrap()));
    assert_eq!(wheel.lines, Lines::Single(None));
    let sync = rig.sync.unwrap();
    let barcode = SyncPattern::Barcode { every: Span::from_s(10), bit: Span::from_ms(30), bits: 32 };
    assert_eq!((sync.pin, sync.pattern), (Some(pin(26)), barcode));
}

#[test]
fn a_rig_is_written_as_it_was_read() {
    let rig = read(RIG).unwrap();
    let written = toml::to_string(&rig).unwrap();
    assert_eq!(parse::<RigConfig>("pilot.toml", &written).unwrap(), rig);
    let json = serde_json::to_value(&rig).unwrap();
    assert_eq!(serde_json::from_value::<RigConfig>(json).unwrap(), rig);
}

#[test]
fn what_a_file_does_not_say_is_as_usual() {
    let rig = read("[rig.sync_output]\ndriver = \"simulated\"\npattern = \"random\"\n").unwrap();
    assert_eq!((rig.watchdog, rig.core), (Span::from_ms(250), None));
    assert_eq!(rig.calibration_age, Span::from_s(60 * 24 * 3600));
    let gap = (Span::from_ms(500), Span::from_s(5));
    assert_eq!(rig.sync.unwrap().pattern, SyncPattern::Random { gap, width: Span::from_ms(50) });
    let chip = read("[rig.devices.a]\nkind = \"digital_input\"\ndriver = \"gpiocdev\"\npin = 4\n").unwrap();
    let chip = chip.devices.values().next().unwrap().driver.clone();
    assert_eq!(chip, DriverConfig::Gpiocdev { chip: "gpiochip0".into() });
}

#[test]
fn a_rig_is_real_once_anything_of_it_is() {
    let is_real = |text: &str| read(text).unwrap().is_real();
    assert!(is_real(RIG));
    assert!(!is_real("[rig.devices.a]\nkind = \"digital_input\"\ndriver = \"simulated\"\n"));
    assert!(is_real("[rig.sync_input]\ndriver = \"gpiocdev\"\npin = 4\n"));
}

#[test]
fn every_line_that_this_machine_drives_is_listed_once_in_order() {
    let lines = read(RIG).unwrap().lines();
    let owners: Vec<&str> = lines.iter().map(|line| line.owner.as_str()).collect();
    let expected = [
        "drops",
        "lamp",
        "poke.center",
        "poke.left",
        "poke.right",
        "running a",
        "running b",
        "valve.left",
        "valve.right",
        "sync",
        "sync_input",
    ];
    assert_eq!(owners, expected);
    let safe = Level::from_share(1.0).unwrap();
    assert_eq!(lines[1].purpose, Purpose::Output { safe, frequency: Frequency::from_hertz(500.0) });
    let debounce = Some(Span::from_ms(1));
    assert_eq!(lines[2].purpose, Purpose::Input { pull: Pull::Up, debounce });
    assert_eq!((lines[3].pin, lines[3].active), (Some(pin(17)), Active::Low));
}

/// What is said of a rig, with the place that a person is shown.
fn said(text: &str) -> Vec<String> {
    let faults = match parse::<File>("pilot.toml", text) {
        Ok(file) => file.rig.read().expect_err(text),
        Err(error) => return vec![error.to_string()],
    };
    let of = |fault: Fault| {
        let help = fault.help.clone().unwrap_or_default();
        let mistake = mistakes("pilot.toml", text, vec![fault.within("rig")]);
        format!("{} | {help}", mistake.to_string().trim_start_matches("pilot.toml:"))
    };
    faults.into_iter().map(of).collect()
}

#[test]
fn a_mistake_of_a_device_is_named_with_its_place_and_what_to_write() {
    let input = "kind = \"digital_input\"\ndriver = \"gpiocdev\"\n";
    let valve = "kind = \"solenoid\"\ndriver = \"gpiocdev\"\npin = 4\n";
    let output = "kind = \"digital_output\"\ndriver = \"rppal\"\npin = 4\n";
    let level = "kind = \"level_output\"\ndriver = \"rppal\"\npin = 4\n";
    let wheel = "kind = \"encoder\"\ndriver = \"gpiocdev\"\n";
    for (body, place, says) in [
        ("kind = \"solenoid\"\ndriver = \"gpiocdv\"".to_owned(), "3:10", "unknown variant `gpiocdv`"),
        ("kind = \"solenoid\"\ndriver = \"simulated\"\nflwo = \"1 uL/s\"".into(), "4:1", "`flwo`"),
        ("kind = \"solenoid\"\ndriver = \"simulated\"\nflow = \"40 uL\"".into(), "4:8", "40 uL/s"),
        (format!("{valve}longest_on = \"5\""), "5:14", "200 ms"),
        (valve.to_owned(), "1:14", "| add a line `longest_on = \"2 s\"`"),
        (format!("{valve}longest_on = \"0 s\""), "5:14", "no time at all"),
        (
            format!("{valve}longest_on = \"2 s\"\nflow = \"4 uL/s\""),
            "6:8",
            "run `bramble-pilot calibrate thing`",
        ),
        (input.to_owned(), "1:14", "its pin is missing | add a line `pin = 17`"),
        (format!("{input}pin = \"poke\""), "4:7", "`poke` is not a pin: write 17, \"GPIO17\", or"),
        (format!("{input}pin = -3"), "4:7", "-3 is not a pin"),
        (format!("{input}pin = 3\nports = {{ a = 1 }}"), "4:7", "| give only one of them"),
        (format!("{input}ports = {{}}"), "4:1", "`ports` is empty"),
        (format!("{input}pin = 4\nflow = \"4 uL/s\""), "5:8", "for a solenoid"),
        (
            format!("{input}pin = 4\nlongest_on = \"4 s\""),
            "5:14",
            "for an output, and this is a digital_input",
        ),
        (format!("{input}pin = 4\ndebounce = \"2 s\""), "5:12", "at most 1 s"),
        (format!("{input}pin = 4\ndebounce = \"0 s\""), "5:12", "no time at all"),
        (format!("{input}pin = 4\nchild = \"side\""), "5:9", "goes with driver = \"child\""),
        (format!("{output}pull = \"up\""), "5:8", "`pull` is for a digital input or an encoder"),
        (format!("{output}debounce = \"1 ms\""), "5:12", "`debounce` is for a digital input"),
        (format!("{output}frequency = \"200 Hz\""), "5:13", "`frequency` is for a level output"),
        (format!("{output}safe = \"100 %\"\nlongest_on = \"1 s\""), "6:14", "on when safe"),
        (format!("{output}safe = \"50 %\""), "5:8", "it is off or on"),
        (format!("{output}chip = \"gpiochip0\""), "5:8", "goes with driver = \"gpiocdev\""),
        (format!("{level}frequency = \"0 Hz\""), "5:13", "from 1 Hz to 1 kHz"),
        (format!("{level}frequency = \"20 kHz\""), "5:13", "can't switch at 20 kHz"),
        ("kind = \"digital_input\"\ndriver = \"rppal\"\npin = 4".into(), "3:10", "use driver = \"gpiocdev\""),
        ("kind = \"display\"\ndriver = \"rppal\"".into(), "3:10", "| use driver = \"simulated\""),
        ("kind = \"analog_input\"\ndriver = \"gpiocdev\"".into(), "3:10", "no analog inputs"),
        ("kind = \"encoder\"\ndriver = \"child\"".into(), "3:10", "child = \"wheel-child\""),
        (format!("{wheel}pin = 4"), "4:7", "| write pins = { a = 17, b = 18 } instead"),
        (wheel.to_owned(), "1:14", "| add a line `pins = { a = 17, b = 18 }`"),
        (format!("{wheel}pins = {{ a = 4, b = 4 }}"), "4:21", "pin 4 is given to both thing a and thing b"),
        (format!("{wheel}pins = {{ a = 4, b = 5 }}\nunit = \"mm\""), "5:8", "add a line `counts_per_unit"),
        (format!("{wheel}pins = {{ a = 4, b = 5 }}\ncounts_per_unit = 0.0"), "5:19", "0 counts in a unit"),
    ] {
        let said = said(&format!("[rig.devices.thing]\n{body}\n"));
        let [only] = said.as_slice() else { panic!("{body}: {said:#?}") };
        let only = only.trim_start_matches("pilot.toml:");
        assert!(only.starts_with(&format!("{place}: ")) && only.contains(says), "{body}: {only}");
    }
}

#[test]
fn a_pin_that_can_not_be_is_named_with_one_that_can() {
    let device = |name: &str, driver: &str, pin: &str| {
        format!("[rig.devices.{name}]\nkind = \"digital_output\"\ndriver = {driver}\npin = {pin}\n")
    };
    let pi = "\"gpiocdev\"\nchip = \"pinctrl-bcm2711\"";
    let any = "\"gpiocdev\"";
    for (a, b, says) in [
        ((any, "4"), (any, "4"), Some("pin 4 is given to both a and b | give each its own")),
        ((any, "4"), ("\"gpiocdev\"\nchip = \"/dev/gpiochip0\"", "4"), Some("pin 4 is given to both")),
        ((any, "4"), ("\"gpiocdev\"\nchip = \"gpiochip1\"", "4"), None),
        (("\"simulated\"", "4"), (any, "4"), None),
        // All of these are a Pi's header.
        (("\"rppal\"", "17"), (pi, "17"), Some("both a and b | near it and free: header 12 (GPIO18)")),
        (("\"rppal\"", "17"), (any, "17"), Some("both a and b")),
        ((pi, "17"), (any, "\"header 11\""), Some("both a and b")),
        (("\"rppal\"", "17"), (any, "18"), None),
        (("\"rppal\"", "0"), (any, "18"), Some("GPIO0 is reserved")),
        (("\"rppal\"", "28"), (any, "18"), Some("GPIO28 is used by the Pi itself: the header has 0 to 27")),
        (("\"rppal\"", "99"), (any, "18"), Some("GPIO99 is not there")),
        (
            ("\"rppal\"", "\"header 1\""),
            (any, "18"),
            Some("header 1 is 3.3 V | near it and free: header 7 (GPIO4)"),
        ),
        (
            ("\"rppal\"", "\"header 6\""),
            (any, "14"),
            Some("is ground | near it and free: header 7 (GPIO4), header 11"),
        ),
        (("\"rppal\"", "\"header 41\""), (any, "18"), Some("it has positions 1 to 40")),
        (
            (any, "\"header 11\""),
            (any, "18"),
            Some("are those of a Raspberry Pi, and this is gpiocdev gpiochip0 | write"),
        ),
        ((any, "0"), (any, "99"), None),
    ] {
        let text = device("a", a.0, a.1) + &device("b", b.0, b.1);
        match says {
            Some(says) => {
                let said = said(&text);
                assert!(said.len() == 1 && said[0].contains(says), "{text}: {said:#?}");
            }
            None => assert!(read(&text).is_ok(), "{text}: {:#?}", said(&text)),
        }
    }
}

#[test]
fn what_a_child_sets_up_is_said_in_the_child_s_file_and_not_in_the_pilot_s() {
    let device = |kind: &str, line: &str| {
        format!("[rig.devices.a]\nkind = \"{kind}\"\ndriver = \"child\"\nchild = \"side\"\n{line}\n")
    };
    for (kind, line) in [
        ("digital_input", "active = \"low\""),
        ("digital_input", "pull = \"up\""),
        ("digital_input", "debounce = \"1 ms\""),
        ("level_output", "frequency = \"1 kHz\""),
        ("encoder", "pins = { a = 4, b = 5 }"),
        ("encoder", "counts_per_unit = 2.8"),
    ] {
        let said = said(&device(kind, line));
        assert_eq!(said.len(), 1, "{line}: {said:#?}");
        assert!(said[0].starts_with("5:"), "{line}: {said:?}");
        assert!(said[0].contains("| write it into the child's configuration instead"), "{line}: {said:?}");
    }
    for (kind, line) in [
        ("digital_output", "longest_on = \"1 s\""),
        ("solenoid", "flow = \"40 uL/s\""),
        ("encoder", "unit = \"mm\""),
    ] {
        assert!(read(&device(kind, line)).is_ok(), "{line}");
    }
}

#[test]
fn a_resistor_of_the_board_can_not_be_taken_away() {
    let text = "[rig.devices.a]\nkind = \"digital_input\"\ndriver = \"gpiocdev\"\n\
                chip = \"pinctrl-rp1\"\npin = 2\npull = \"down\"\n";
    assert!(said(text)[0].contains("GPIO2 has a resistor to 3.3 V"), "{:?}", said(text));
    assert!(read(&text.replace("down", "up")).is_ok());
}

#[test]
fn a_valve_that_would_open_when_the_board_is_switched_on_is_refused() {
    let text = "[rig.devices.a]\nkind = \"solenoid\"\ndriver = \"rppal\"\npin = 3\nlongest_on = \"2 s\"\n";
    let said = said(text);
    assert!(said.len() == 1 && said[0].starts_with("4:7: GPIO3 has a resistor"), "{said:?}");
    assert!(said[0].contains("| near it and free: header 7 (GPIO4)"), "{said:?}");
    assert!(read(&format!("{text}active = \"low\"\n")).is_ok(), "there, high is off");
    assert!(read(&text.replace("pin = 3", "pin = 4")).is_ok());
}

#[test]
fn a_pin_that_its_chip_lacks_is_shown_at_its_key() {
    let chip = |name: &str| (name == "pinctrl-bcm2711").then(|| ("gpiochip0".to_owned(), 27));
    let faults = read(RIG).unwrap().pins_beyond(chip);
    let shown = mistakes("pilot.toml", RIG, faults.into_iter().map(|one| one.within("rig")).collect());
    let said = shown.to_string();
    let line = 1 + RIG.lines().position(|line| line.contains("GPIO27")).unwrap();
    assert!(said.starts_with(&format!("pilot.toml:{line}:")), "{said}");
    assert!(
        said.ends_with("there is no pin 27 for poke.center: gpiochip0 has 27 lines, from 0 on"),
        "{said}"
    );
}

#[test]
fn a_mistake_of_the_rig_itself_is_named_with_its_place() {
    for (body, place, says) in [
        ("watchdog = \"1 ms\"", "2:12", "from 50 ms to 10 s"),
        ("calibration_age = \"0 d\"", "2:19", "older than nothing"),
        ("calibration_age = \"old\"", "2:19", "60 d"),
        ("sync_output = { driver = \"gpiocdev\", pattern = \"random\" }", "2:1", "its pin is missing"),
        (
            "sync_output = { driver = \"simulated\", pattern = \"random\", bits = 8 }",
            "2:66",
            "pattern = \"barcode\"",
        ),
        ("sync_output = { driver = \"simulated\", pattern = \"random\", width = \"3 s\" }", "2:49", "twice"),
        ("sync_output = { driver = \"simulated\", pattern = \"morse\" }", "2:49", "unknown variant `morse`"),
        ("sync_output = { driver = \"child\", pattern = \"random\" }", "2:26", "the pilot's own"),
        ("sync_input = { driver = \"rppal\", pin = 4 }", "2:25", "use driver = \"gpiocdev\""),
        ("sync_input = { driver = \"gpiocdev\", pin = 4, debounce = \"9 s\" }", "2:57", "at most 1 s"),
    ] {
        let said = said(&format!("[rig]\n{body}\n"));
        assert_eq!(said.len(), 1, "{body}: {said:#?}");
        let said = said[0].trim_start_matches("pilot.toml:");
        assert!(said.starts_with(&format!("{place}: ")) && said.contains(says), "{body}: {said}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let rig = RIG
        .replace("right = \"header 15\"", "right = \"header 14\"")
        .replace("longest_on = \"5 s\"", "")
        .replace("pin = 19", "pin = 26");
    let said = said(&rig);
    assert_eq!(said.len(), 3, "{said:#?}");
}

proptest! {
    #[test]
    fn two_devices_share_no_pin_of_a_rig_that_is_read(
        pins in prop::collection::vec((0_u32..30, 0_usize..4), 1..8),
    ) {
        let drivers = [
            "\"rppal\"",
            "\"gpiocdev\"",
            "\"gpiocdev\"\nchip = \"pinctrl-bcm2711\"",
            "\"gpiocdev\"\nchip = \"gpiochip1\"",
        ];
        let devices = pins.iter().enumerate().map(|(number, (pin, driver))| format!(
            "[rig.devices.d{number}]\nkind = \"digital_output\"\ndriver = {}\npin = {pin}\n",
            drivers[*driver]
        ));
        let text: String = devices.collect();
        // Where anything is a Pi's for sure, `gpiochip0` is its header too.
        let is_pi = pins.iter().any(|(_, driver)| [0, 2].contains(driver));
        let chip = |driver: usize| match driver { 0 | 2 => 0, 1 if is_pi => 0, other => other };
        let claims: std::collections::BTreeSet<(usize, u32)> =
            pins.iter().map(|(pin, driver)| (chip(*driver), *pin)).collect();
        let known = |(chip, pin): &(usize, u32)| *chip != 0 || (2..=27).contains(pin);
        let fits = claims.len() == pins.len() && claims.iter().all(known);
        prop_assert_eq!(read(&text).is_ok(), fits, "{}", text);
    }

    #[test]
    fn no_text_of_a_pin_panics(text in "(header|GPIO)? ?-?[0-9]{0,12}|\\PC{0,9}") {
        let written = toml::Value::String(text);
        let rig = format!(
            "[rig.devices.a]\nkind = \"digital_output\"\ndriver = \"rppal\"\npin = {written}\n"
        );
        if let Ok(file) = parse::<File>("pilot.toml", &rig) {
            let _ = file.rig.read();
        }
    }
}
