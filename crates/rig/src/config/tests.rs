use bramble_config::{ConfigError, parse};

use super::*;

#[derive(Debug, Deserialize)]
struct File {
    rig: RigConfig,
}

const RIG: &str = r#"
[rig.devices.poke]
kind = "digital_input"
driver = "simulated"
ports = { left = 17, center = 27, right = 22 }

[rig.devices.valve]
kind = "solenoid"
driver = "simulated"
ports = { left = 5, right = 6 }
longest_on = "5 s"
flow = "40 uL/s"

[rig.devices.wheel]
kind = "encoder"
driver = "child"
child = "wheel-child"
unit = "mm"
"#;

#[test]
fn a_rig_is_read_with_its_units() {
    let rig = parse::<File>("pilot.toml", RIG).unwrap().rig;
    let valve = &rig.devices[&"valve".parse().unwrap()];
    assert_eq!(valve.longest_on, Some(Span::from_s(5)));
    assert_eq!(valve.flow.unwrap().duration_of("4 uL".parse().unwrap()), Span::from_ms(100));
    let wheel = &rig.devices[&"wheel".parse().unwrap()];
    assert_eq!(wheel.driver, DriverConfig::Child("wheel-child".parse().unwrap()));
    assert_eq!(wheel.lines, Lines::Single(None));
}

#[test]
fn a_rig_is_written_as_it_was_read() {
    let rig = parse::<File>("pilot.toml", RIG).unwrap().rig;
    let written = toml::to_string(&rig).unwrap();
    assert_eq!(parse::<RigConfig>("pilot.toml", &written).unwrap(), rig);
}

#[test]
fn a_mistake_is_named_with_its_line_its_column_and_what_to_write() {
    let cases = [
        ("driver = \"simulatd\"\nkind = \"solenoid\"", "2:10", "unknown variant `simulatd`"),
        ("kind = \"solenoid\"\ndriver = \"simulated\"\nflwo = \"1 uL/s\"", "4:1", "`flow`"),
        ("kind = \"solenoid\"\ndriver = \"simulated\"\nflow = \"40 uL\"", "4:8", "40 uL/s"),
        ("kind = \"solenoid\"\ndriver = \"simulated\"\nlongest_on = \"5\"", "4:14", "200 ms"),
        ("kind = \"digital_input\"\ndriver = \"simulated\"\nflow = \"4 uL/s\"", "1:1", "for a solenoid"),
        ("kind = \"encoder\"\ndriver = \"child\"", "1:1", "child = \"wheel-child\""),
        ("kind = \"solenoid\"\ndriver = \"simulated\"\npin = 3\nports = { a = 1 }", "1:1", "not both"),
    ];
    for (body, place, says) in cases {
        let text = format!("[rig.devices.thing]\n{body}\n");
        let Err(ConfigError::Mistake(mistake)) = parse::<File>("pilot.toml", &text) else {
            panic!("{body} is a mistake");
        };
        let mistake = mistake.to_string();
        assert!(mistake.contains(says), "{body}: {mistake}");
        assert!(mistake.starts_with(&format!("pilot.toml:{place}:")), "{body}: {mistake}");
    }
}
