//! Where in a text a key is.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The bytes of the value at `path`, or of the name of a table. Where there is
/// no such key, those of the last one on the way that is there.
pub(crate) fn of(text: &str, path: &[String]) -> Range<usize> {
    let (root, _) = DeTable::parse_recoverable(text);
    let mut at = 0..0;
    let mut table = root.get_ref();
    for key in path {
        let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref() == key) else { break };
        let DeValue::Table(inner) = value.get_ref() else {
            return value.span();
        };
        at = Spanned::span(name);
        table = inner;
    }
    at
}

/// The place of a byte as people count: from 1, the column in characters.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a rig
rig.core = 3
[rig.devices.poke]
kind = \"digital_input\"
ports = { left = 17, \"right\" = 22 }
[rig.devices.\"house-light\"]
pin = 4
";

    fn at(path: &[&str]) -> &'static str {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        &TEXT[of(TEXT, &path)]
    }

    #[test]
    fn a_value_is_found_however_its_key_is_written() {
        assert_eq!(at(&["rig", "core"]), "3");
        assert_eq!(at(&["rig", "devices", "poke", "kind"]), "\"digital_input\"");
        assert_eq!(at(&["rig", "devices", "poke", "ports", "right"]), "22");
        assert_eq!(at(&["rig", "devices", "house-light", "pin"]), "4");
    }

    #[test]
    fn what_is_not_there_is_shown_where_it_would_be() {
        assert_eq!(at(&["rig", "devices", "poke", "pull"]), "poke");
        assert_eq!(at(&["rig", "devices", "poke", "ports", "up"]), "ports");
        assert_eq!(at(&["rig", "core", "deeper"]), "3");
        assert_eq!(at(&["other"]), "");
    }

    #[test]
    fn a_column_is_counted_in_characters() {
        assert_eq!(line_and_column("a\nµ = 1", 5), (2, 3));
    }
}
