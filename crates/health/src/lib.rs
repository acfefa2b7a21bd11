//! How this computer fares: its disk, its temperature and its supply, as Linux tells; and how late it is.

mod delays;

use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bramble_message::{Disk, Health, Power};
use bramble_value::Time;

pub use delays::{Meter, drawn};

/// Looks at this computer.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Where `/sys` is in: `/`, and in a test any folder.
    root: PathBuf,
    /// The agent's data folder.
    data: PathBuf,
}

impl Probe {
    /// A probe of the computer whose files are in `root`, and of the disk that the folder
    /// `data` is on.
    pub fn new(root: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Probe {
        Probe { root: root.into(), data: data.into() }
    }

    /// How it fares at this time of its monotonic clock, which is now. Some small files are
    /// read.
    pub fn look(&self, time: Time) -> Health {
        let sys = self.root.join("sys");
        Health {
            time,
            unix_ns: unix_ns(),
            disk: disk(&self.data),
            temperature: temperature(&sys.join("class/thermal")),
            power: firmware(&sys.join("devices/platform")).or_else(|| sensor(&sys.join("class/hwmon"))),
        }
    }
}

/// By how many seconds another's wall clock is ahead of ours.
///
/// `theirs` is what it said of itself, and `ours` the same moment on our monotonic clock,
/// as a link knows it; `now` and `unix_ns` are one moment on our two clocks.
pub fn wall_ahead(theirs: &Health, ours: Time, now: Time, unix_ns: i64) -> f64 {
    let then = i128::from(unix_ns) - i128::from(now.since(ours).ns());
    (i128::from(theirs.unix_ns) - then) as f64 / 1e9
}

/// The time by this computer's wall clock: nanoseconds since 1970, UTC.
pub fn unix_ns() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn disk(folder: &Path) -> Option<Disk> {
    // The folder is made later where nothing is in it yet.
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let disk = nix::sys::statvfs::statvfs(there).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.fragment_size());
    Some(Disk { free: bytes(disk.blocks_available()), size: bytes(disk.blocks()) })
}

/// The hottest of the zones, in degrees Celsius. A sensor that is not there says odd things.
fn temperature(zones: &Path) -> Option<f64> {
    let degrees = |zone: PathBuf| Some(number(&zone.join("temp"))? as f64 / 1000.0);
    let zones = entries(zones, |name| name.starts_with("thermal_zone"));
    zones.filter_map(degrees).filter(|degrees| (1.0..150.0).contains(degrees)).reduce(f64::max)
}

/// What a Raspberry Pi's firmware says: `get_throttled`, in hexadecimal. The lower four bits
/// are how it is now: voltage too low, frequency capped, throttled, close to too hot; sixteen
/// bits higher, how it was since it was switched on
/// (<https://www.raspberrypi.com/documentation/computers/os.html#get_throttled>).
fn firmware(platform: &Path) -> Option<Power> {
    let of_soc = |folder: PathBuf| {
        let firmware = entries(&folder, |name| name.ends_with(":firmware"));
        firmware.map(|firmware| firmware.join("get_throttled")).find(|file| file.exists())
    };
    let file = entries(platform, |name| name.starts_with("soc")).find_map(of_soc)?;
    let text = read_to_string(file).ok()?;
    let bits = u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()?;
    Some(Power { low: bits & 0b1 != 0, throttled: bits & 0b1110 != 0, earlier: bits & 0xf_0000 != 0 })
}

/// What the driver `raspberrypi-hwmon` says, where the firmware's own word isn't there.
fn sensor(sensors: &Path) -> Option<Power> {
    let is_volt =
        |sensor: &PathBuf| read_to_string(sensor.join("name")).is_ok_and(|name| name.trim() == "rpi_volt");
    let sensor = entries(sensors, |name| name.starts_with("hwmon")).find(is_volt)?;
    let low = number(&sensor.join("in0_lcrit_alarm"))? != 0;
    Some(Power { low, throttled: false, earlier: low })
}

fn number(file: &Path) -> Option<i64> {
    read_to_string(file).ok()?.trim().parse().ok()
}

/// What in a folder has such a name; nothing where there is no such folder.
fn entries(folder: &Path, fits: impl Fn(&str) -> bool) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(move |entry| entry.file_name().to_str().is_some_and(&fits)).map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A computer with these files.
    fn computer(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    fn look(files: &[(&str, &str)]) -> Health {
        let root = computer(files);
        Probe::new(root.path(), root.path().join("data")).look(Time::ZERO)
    }

    #[test]
    fn a_board_that_tells_nothing_of_itself_has_a_disk_alone() {
        let health = look(&[]);
        assert_eq!((health.temperature, health.power), (None, None));
        let disk = health.disk.unwrap();
        assert!(disk.size > 0 && disk.free <= disk.size);
    }

    #[test]
    fn the_hottest_sensor_counts_and_one_that_is_not_there_does_not() {
        let zone = "sys/class/thermal/thermal_zone";
        let zones =
            [("0/temp", "48312\n"), ("1/temp", "51000\n"), ("2/temp", "-274000\n"), ("3/temp", "0\n")];
        let zones = zones.map(|(file, text)| (format!("{zone}{file}"), text));
        let zones: Vec<_> = zones.iter().map(|(file, text)| (file.as_str(), *text)).collect();
        assert_eq!(look(&zones).temperature, Some(51.0));
        assert_eq!(look(&[("sys/class/thermal/cooling_device0/temp", "9000")]).temperature, None);
    }

    #[test]
    fn the_firmware_tells_low_voltage_and_throttling_now_and_earlier() {
        let file = "sys/devices/platform/soc/soc:firmware/get_throttled";
        let power = |text: &str| look(&[(file, text)]).power;
        assert_eq!(power("0\n"), Some(Power { low: false, throttled: false, earlier: false }));
        assert_eq!(power("50005\n"), Some(Power { low: true, throttled: true, earlier: true }));
        assert_eq!(power("0x50000\n"), Some(Power { low: false, throttled: false, earlier: true }));
        assert_eq!(power("no\n"), None);
        let newer = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled";
        assert_eq!(look(&[(newer, "1")]).power, Some(Power { low: true, throttled: false, earlier: false }));
    }

    #[test]
    fn the_kernels_sensor_is_asked_where_the_firmware_says_nothing() {
        let sensor =
            |name| [("sys/class/hwmon/hwmon1/name", name), ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")];
        assert!(look(&sensor("rpi_volt\n")).power.unwrap().low);
        assert_eq!(look(&sensor("nvme\n")).power, None);
    }

    #[test]
    fn a_wall_clock_that_was_never_set_is_told_by_how_far_it_is_off() {
        let health = Health { time: Time::from_ns(77), unix_ns: 0, ..look(&[]) };
        // It was looked at two seconds ago.
        let now = Time::from_ns(5_000_000_000);
        let ahead = wall_ahead(&health, Time::from_ns(3_000_000_000), now, 1_700_000_000_000_000_000);
        assert_eq!(ahead, -1_699_999_998.0);
    }
}
