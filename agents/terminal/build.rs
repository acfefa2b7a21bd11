//! Has the program made anew when its page is: what scripts/web builds is put into it.

use std::path::Path;

fn main() {
    // A path that isn't there would have the program made anew each time.
    let built = "web/dist";
    let watched = if Path::new(built).exists() { built } else { "web" };
    println!("cargo::rerun-if-changed={watched}");
}
