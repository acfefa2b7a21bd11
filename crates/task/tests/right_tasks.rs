//! What is right is not refused: `right_tasks.txt` has tasks as they are written
//! in laboratories, and small files with what a check could mistake.

use bramble_task::{Sources, load};

#[test]
fn each_right_task_loads() {
    let sections: Vec<&str> = include_str!("right_tasks.txt").split("=== ").skip(1).collect();
    assert!(sections.len() >= 40, "{}", sections.len());
    for section in sections {
        let (name, file) = section.split_once('\n').unwrap();
        let sources = Sources { root: "task.star".into(), files: [("task.star".into(), file.into())].into() };
        if let Err(mistakes) = load(&sources) {
            panic!("{name}: {mistakes}\n{file}");
        }
    }
}
