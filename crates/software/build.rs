//! Notes what the programs are built from, for the provenance of the sessions that
//! they run. The agents alone are built on this, so that a commit builds nothing else anew.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=BRAMBLE_COMMIT");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let root = manifest.join("../..").canonicalize()?;
    println!("cargo:rustc-env=BRAMBLE_TARGET={}", variable("TARGET"));
    println!("cargo:rustc-env=BRAMBLE_PROFILE={}", variable("PROFILE"));
    println!("cargo:rustc-env=BRAMBLE_COMPILER={}", compiler(&variable("RUSTC")));

    // Sources that were taken out of their workspace have no lock: the text is empty then.
    let lock = root.join("Cargo.lock");
    let text = fs::read_to_string(&lock).unwrap_or_default();
    fs::write(Path::new(&variable("OUT_DIR")).join("Cargo.lock"), text)?;
    println!("cargo:rerun-if-changed={}", lock.display());

    // Whoever builds from an archive may know the commit that it was made of.
    let told = variable("BRAMBLE_COMMIT");
    if !told.is_empty() {
        println!("cargo:rustc-env=BRAMBLE_COMMIT={told}");
        return Ok(());
    }
    // An archive that was unpacked within somebody's repository is not of its commit.
    let top = git(&root, &["rev-parse", "--show-toplevel"]);
    if top.is_none_or(|top| Path::new(&top).canonicalize().ok().as_ref() != Some(&root)) {
        return Ok(());
    }
    let Some(commit) = git(&root, &["rev-parse", "HEAD"]) else { return Ok(()) };
    println!("cargo:rustc-env=BRAMBLE_COMMIT={commit}");
    if let Some(log) = git(&root, &["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    // To know it of every build, all sources have to be watched, and the agents be built
    // anew with any of them. That is for the builds that labs run.
    if variable("PROFILE") == "release" {
        let sources = ["Cargo.toml", "Cargo.lock", "agents", "crates"];
        for source in sources {
            println!("cargo:rerun-if-changed={}", root.join(source).display());
        }
        let status = [&["status", "--porcelain", "--"][..], &sources].concat();
        let modified = run(&root, &status).map(|changes| !changes.is_empty());
        println!(
            "cargo:rustc-env=BRAMBLE_MODIFIED={}",
            modified.map_or("", |yes| if yes { "yes" } else { "no" })
        );
    }
    Ok(())
}

/// `rustc 1.95.0 (...)`; empty where it can't be asked.
fn compiler(rustc: &str) -> String {
    let output = Command::new(rustc).arg("--version").output().ok();
    let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
    text.map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// What git answers, where it is something.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    run(folder, arguments).filter(|answer| !answer.is_empty())
}

fn run(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
