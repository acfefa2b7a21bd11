//! What a person sees: the real program in a real terminal, its screens held against those that
//! are kept in `tests/screens`. `BRAMBLE_BLESS=1` keeps the ones that there are now, for
//! you to read.

use crate::common::Tmux;

const PI: &str = "bramble-setup --pretend 'Raspberry Pi 4 Model B'";

/// The page that is to be seen, by its tab.
fn page(tmux: &Tmux, tab: &str) {
    tmux.keys(&["PageDown"]);
    tmux.wait(&format!("[{tab}]"));
}

fn walk_through(size: (u16, u16), name: &str) {
    let tmux = Tmux::start(name, size, "screen", PI);
    let compare = |screen: &str, text: &str| tmux.compare(&format!("{screen}-{name}"), text);
    compare("role", "left and right choose");
    page(&tmux, "2 Name");
    tmux.keys(&["C-u", "'box 3'"]);
    compare("wrong-name", "`box 3` can't be a name");
    tmux.keys(&["C-u", "'box3'", "Enter"]);
    tmux.wait("[3 Terminal]");
    tmux.keys(&["C-u", "'lab-desk'", "Enter", "'k7qf-2mxp'", "Enter"]);
    compare("terminal", "leave swarm");
    page(&tmux, "4 Rig");
    compare("rig", "Enter changes it");
    tmux.keys(&["Down", "Down", "Enter"]);
    tmux.wait("pilot box3: valve");
    tmux.keys(&["Down", "Down", "Down", "F2", "Down", "Left"]);
    compare("pick", "header 37: sync_output");
    tmux.keys(&["Escape"]);
    tmux.wait("F2 pick a pin");
    tmux.keys(&["C-u", "'header 11'"]);
    compare("taken", "pin 17 is given to both");
    tmux.keys(&["Escape"]);
    tmux.wait("F2 pick a pin");
    tmux.keys(&["Escape"]);
    tmux.wait("arrows move  Enter next  type");
    page(&tmux, "5 Sound");
    page(&tmux, "6 Data");
    compare("data", "The folder is");
    page(&tmux, "7 Service");
    compare("service", "systemd starts it");
    page(&tmux, "8 Write");
    compare("write", "check the rig");
    tmux.keys(&["Down", "Enter"]);
    compare("file", "any other key goes back");
    tmux.keys(&["q"]);
    tmux.wait("check the rig");
    tmux.keys(&["Up", "Enter"]);
    tmux.wait("[ended: 0]");
}

#[test]
fn a_pilot_is_set_up_on_the_smallest_terminal() {
    walk_through((80, 24), "80x24");
}

#[test]
fn a_pilot_is_set_up_on_a_large_terminal() {
    walk_through((132, 43), "132x43");
}

#[test]
fn every_kind_of_terminal_shows_the_same() {
    for term in ["xterm", "screen", "linux", "vt100"] {
        let tmux = Tmux::start(&format!("kind-{term}"), (80, 24), term, PI);
        tmux.compare("role-80x24", "left and right choose");
        tmux.keys(&["C-c"]);
        tmux.wait("nothing was written");
    }
}

#[test]
fn a_terminal_that_is_too_small_says_what_it_needs_and_can_be_left() {
    let tmux = Tmux::start("small", (60, 12), "xterm", PI);
    tmux.compare("small-60x12", "needs 80 columns and 24 lines");
    tmux.keys(&["C-c"]);
    tmux.wait("[ended: 0]");
}

#[test]
fn what_is_answered_on_a_terminal_is_written_and_what_was_there_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("pilot.toml");
    let config = file.display();
    let command = format!(
        "HOME={} bramble-setup pilot --service none --check none --config {config}",
        home.path().display()
    );
    let set = |name: &str| {
        let tmux = Tmux::start("written", (80, 24), "xterm", &command);
        tmux.wait("left and right choose");
        page(&tmux, "2 Name");
        tmux.keys(&["C-u", name, "Enter"]);
        tmux.wait("[3 Terminal]");
        for tab in ["4 Rig", "5 Sound", "6 Data", "7 Service", "8 Write"] {
            page(&tmux, tab);
        }
        tmux.keys(&["Enter"]);
        tmux.wait("[ended: 0]")
    };
    let screen = set("'first'");
    assert!(screen.contains("is written, for first"), "{screen}");
    let screen = set("'second'");
    assert!(screen.contains("what was there is in"), "{screen}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("name = \"second\"") && text.contains("# This pilot's name"), "{text}");
    let mut files = std::fs::read_dir(home.path()).unwrap().flatten().map(|entry| entry.path());
    let copy = files.find(|path| path.to_string_lossy().contains("pilot.toml.")).unwrap();
    assert_eq!(std::fs::read_to_string(copy).unwrap(), text.replace("second", "first"));
}
