//! Subject files that can't be written.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::common::{Lab, pilot};
use crate::kept::{check, lab, start};

fn file_of(lab: &Lab) -> PathBuf {
    lab.path("lab/subjects/M001.h5")
}

/// A notebook that has a file open.
struct Notebook(Child);

impl Notebook {
    /// None where there is no Python with h5py.
    fn open(file: &Path) -> Option<Notebook> {
        let Some(python) = std::env::var_os("BRAMBLE_PYTHON") else {
            println!("skipped: BRAMBLE_PYTHON names no Python with h5py");
            return None;
        };
        let script =
            "import h5py, sys; file = h5py.File(sys.argv[1], 'r'); print('open', flush=True); input()";
        let mut command = Command::new(python);
        command.args(["-c", script]).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "open\n");
        Some(Notebook(process))
    }
}

impl Drop for Notebook {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_belongs_into_a_file_that_a_notebook_has_open_waits_and_is_told() {
    let mut lab = lab();
    let Some(notebook) = Notebook::open(&file_of(&lab)) else { return };
    start(&lab, "free_water.star", "20");
    let status = lab.until(&["status", "--json"], |status| {
        let pilot = pilot(status, "box1");
        !pilot["notice"].is_null() && pilot["session"].is_null()
    });
    let notice = pilot(&status, "box1")["notice"].as_str().unwrap();
    for words in ["waits in the journal", "M001.h5 is open in another program: close it there"] {
        assert!(notice.contains(words), "{notice}");
    }
    drop(notebook);
    assert_eq!(lab.after_sessions(1).sessions().unwrap()[0].trials, 20);
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["notice"].is_null());
    check(&mut lab);
}
