//! The real program in a terminal of tmux, as a person has it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// As long as a screen that must come is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// How many terminals were started.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// A terminal of its own, which goes with this.
pub(crate) struct Tmux {
    server: String,
}

impl Tmux {
    /// A terminal of this size, of this kind, in which a program runs; its shell stays when it ends.
    pub(crate) fn start(name: &str, (columns, lines): (u16, u16), term: &str, command: &str) -> Tmux {
        // Each has a server of its own: one that is ending mustn't take the next with it.
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let tmux = Tmux { server: format!("bramble-{name}-{}-{number}", std::process::id()) };
        let program = env!("CARGO_BIN_EXE_bramble-setup");
        let command = command.replace("bramble-setup", program);
        let shell = format!("env TERM={term} NO_COLOR=1 {command}; echo \"[ended: $?]\"; exec sleep 600");
        let size = [columns.to_string(), lines.to_string()];
        tmux.run(&["-f", "/dev/null", "-u", "new-session", "-d", "-x", &size[0], "-y", &size[1], &shell]);
        tmux
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").arg("-L").arg(&self.server).args(arguments).output();
        let output = output.expect("tmux is there: apt-get install tmux");
        assert!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Presses keys, by tmux's names; a text in quotes is typed.
    pub(crate) fn keys(&self, keys: &[&str]) {
        for key in keys {
            match key.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
                Some(text) => self.run(&["send-keys", "-l", text]),
                None => self.run(&["send-keys", key]),
            };
        }
    }

    /// What is on the screen.
    pub(crate) fn screen(&self) -> String {
        let text = self.run(&["capture-pane", "-p"]);
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        format!("{}\n", lines.join("\n").trim_end())
    }

    /// Waits until a text is on the screen.
    pub(crate) fn wait(&self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if screen.contains(text) {
                return screen;
            }
            assert!(Instant::now() < until, "`{text}` does not come:\n{screen}");
            std::thread::sleep(GLANCE);
        }
    }

    /// Waits until the screen is the one that is kept by this name. With BRAMBLE_BLESS it
    /// becomes that one, once it shows `text`.
    pub(crate) fn compare(&self, name: &str, text: &str) {
        let kept =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(format!("{name}.txt"));
        if std::env::var_os("BRAMBLE_BLESS").is_some() {
            // What is kept is all of it: nothing may still be on its way.
            let mut screen = self.wait(text);
            loop {
                std::thread::sleep(10 * GLANCE);
                let later = self.screen();
                if later == screen {
                    break;
                }
                screen = later;
            }
            std::fs::write(&kept, screen).unwrap();
            return;
        }
        let expected = std::fs::read_to_string(&kept).unwrap_or_default();
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if screen == expected {
                return;
            }
            assert!(
                Instant::now() < until,
                "the screen {name} differs from {}; where it should, BRAMBLE_BLESS=1 keeps it:\n{screen}\n--- \
                 it was\n{expected}",
                kept.display()
            );
            std::thread::sleep(GLANCE);
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-L").arg(&self.server).arg("kill-server").output();
    }
}
