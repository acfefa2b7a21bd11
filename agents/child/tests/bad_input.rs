//! What bad input gets: one clear message and an exit status that is not 0.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::process::Command;

fn refused(config: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("child.toml");
    std::fs::write(&path, config).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bramble-child"));
    let output = child.env("NO_COLOR", "1").arg("--config").arg(&path).output().unwrap();
    assert!(!output.status.success());
    let lines = String::from_utf8_lossy(&output.stderr).into_owned();
    lines.split_whitespace().filter(|word| !["×", "│"].contains(word)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_configuration_that_can_not_be_is_shown_with_what_to_do() {
    let misspelt = refused("name = \"wheels\"\npilto = \"ipc:///tmp/box1.sock\"\n");
    assert!(misspelt.contains("child.toml:2:1: unknown field `pilto`"), "{misspelt}");
    assert!(misspelt.contains("did you mean `pilot`?"), "{misspelt}");
    let nothing = refused("name = \"wheels\"\npilot = \"ipc:///tmp/box1.sock\"\n");
    assert!(nothing.contains("this child has no devices"), "{nothing}");
}
