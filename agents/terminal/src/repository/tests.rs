#![allow(clippy::unwrap_used, reason = "a test ends where it is not as it should be")]

use super::*;

/// A repository with one committed task.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    fs::create_dir(folder.path().join("tasks")).unwrap();
    write(&folder, "tasks/lick.star", "task(1)\n");
    commit(folder.path());
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> String {
    let who = ["-c", "user.name=Ana", "-c", "user.email=ana@lab"];
    let output = Command::new("git").arg("-C").arg(folder).args(who).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(folder: &Path) {
    run(folder, &["add", "."]);
    run(folder, &["commit", "--quiet", "--message", "tasks"]);
}

fn write(folder: &tempfile::TempDir, path: &str, text: impl AsRef<[u8]>) {
    fs::write(folder.path().join(path), text).unwrap();
}

/// What is said of a folder that is in a repository: commit, changed, untracked, missing.
fn git(found: &Found) -> (Option<&str>, bool, Vec<&str>, Option<&str>) {
    let Repository::Git { commit, changed, untracked, missing, .. } = &found.repository else {
        panic!("{:?}", found.repository)
    };
    let untracked = untracked.iter().map(String::as_str).collect();
    (commit.as_deref(), changed.expect("it is known"), untracked, missing.as_deref())
}

#[test]
fn a_clean_repository_is_its_commit_and_no_patch() {
    let folder = repository();
    run(folder.path(), &["remote", "add", "origin", "https://ana:secret@host.org/tasks.git"]);
    let head = run(folder.path(), &["rev-parse", "HEAD"]);
    let found = look(&folder.path().join("tasks"));
    assert_eq!(git(&found), (Some(head.as_str()), false, vec![], None));
    assert_eq!(found.patch, None);
    let told = serde_json::to_value(&found.repository).unwrap();
    assert_eq!((&told["state"], &told["branch"]), (&"git".into(), &"main".into()));
    assert_eq!(told["remote"], "https://host.org/tasks.git");
}

#[test]
fn what_differs_is_a_patch_that_makes_the_same_files_of_the_commit_and_touches_nothing() {
    let folder = repository();
    write(&folder, "tasks/gone.star", "task(0)\n");
    write(&folder, "tasks/picture.bin", [0, 159, 146, 150]);
    commit(folder.path());
    write(&folder, "tasks/lick.star", "task(2)\nµ\n");
    write(&folder, "tasks/new.star", "task(3)\n");
    write(&folder, "tasks/picture.bin", [0, 1, 2, 255]);
    write(&folder, "notes.txt", "mine");
    fs::remove_file(folder.path().join("tasks/gone.star")).unwrap();
    run(folder.path(), &["add", "tasks/lick.star"]);
    let before = run(folder.path(), &["status", "--porcelain"]);

    let found = look(&folder.path().join("tasks"));
    let head = run(folder.path(), &["rev-parse", "HEAD"]);
    assert_eq!(git(&found), (Some(head.as_str()), true, vec!["notes.txt", "tasks/new.star"], None));
    assert_eq!(run(folder.path(), &["status", "--porcelain"]), before, "nothing was touched");

    let copy = tempfile::tempdir().unwrap();
    run(copy.path(), &["clone", "--quiet", folder.path().to_str().unwrap(), "."]);
    write(&copy, "changes.patch", found.patch.unwrap());
    run(copy.path(), &["apply", "changes.patch"]);
    for file in ["tasks/lick.star", "tasks/new.star", "tasks/picture.bin"] {
        let read = |folder: &Path| fs::read(folder.join(file)).unwrap();
        assert_eq!(read(copy.path()), read(folder.path()), "{file}");
    }
    assert!(!copy.path().join("tasks/gone.star").exists());
}

#[test]
fn a_repository_before_its_first_commit_has_its_tasks_as_a_patch() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "--quiet"]);
    write(&folder, "lick.star", "task(1)\n");
    let found = look(folder.path());
    assert_eq!(git(&found), (None, true, vec!["lick.star"], None));
    assert!(found.patch.unwrap().contains("+task(1)"));
}

#[test]
fn a_patch_that_is_too_long_is_cut_and_says_so() {
    let folder = repository();
    write(&folder, "tasks/lick.star", "# a long line, and many of it\n".repeat(60_000));
    let found = look(folder.path());
    assert!(git(&found).3.is_some_and(|missing| missing.contains("cut after 1048576 bytes")));
    assert_eq!(found.patch.unwrap().len(), MOST);
}

#[test]
fn a_folder_in_no_repository_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for folder in [folder.path(), &folder.path().join("gone")] {
        let Found { repository, patch } = look(folder);
        let Repository::None { why, .. } = repository else { panic!("{repository:?}") };
        assert!(why.contains("not a git repository") || why.contains("cannot change to"), "{why}");
        assert_eq!(patch, None);
    }
}

#[test]
fn what_takes_too_long_or_is_not_installed_is_left_alone_and_said() {
    let at_once = Instant::now();
    let why = bounded(Command::new("sleep").arg("60"), 10, at_once).unwrap_err();
    assert_eq!(why, "sleep took longer than 3 s");
    let why = bounded(&mut Command::new("no-such-program-is-here"), 10, at_once).unwrap_err();
    assert_eq!(why, "no-such-program-is-here is not installed");
}

#[test]
fn a_task_that_git_was_told_to_ignore_is_in_the_patch() {
    let folder = repository();
    write(&folder, ".gitignore", "mine*\n*.log\n");
    commit(folder.path());
    write(&folder, "tasks/mine [1].star", "task(7)\n");
    write(&folder, "tasks/much.log", "log\n");
    let found = look(&folder.path().join("tasks"));
    let Repository::Git { ignored, .. } = &found.repository else { panic!("{:?}", found.repository) };
    assert_eq!(*ignored, ["tasks/mine [1].star"]);
    assert_eq!((git(&found).1, git(&found).3), (true, None));
    assert!(found.patch.unwrap().contains("+task(7)"));
    assert_eq!(run(folder.path(), &["status", "--porcelain"]), "", "nothing was touched");
}

#[test]
fn a_person_is_told_where_git_is_there_and_does_not_tell() {
    let none = |why: &str| Repository::None { folder: "/lab/tasks".into(), why: why.to_owned() }.unread();
    assert_eq!(none("not a git repository (or any of the parent directories): .git"), None);
    assert_eq!(none(NO_GIT), None);
    let told = none("detected dubious ownership in repository at '/lab'").unwrap();
    assert!(told.contains("/lab/tasks: git says detected dubious ownership"), "{told}");
    assert_eq!(look(repository().path()).repository.unread(), None);
}
