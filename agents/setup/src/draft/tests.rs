use super::edit::Form;
use super::*;
use proptest::prelude::*;

fn draft(template: Template) -> Draft {
    template.draft(None)
}

fn all() -> [Template; 5] {
    [Template::Terminal, Template::Pi, Template::Simulated, Template::Empty, Template::Child]
}

#[test]
fn every_template_is_one_that_its_agent_starts_with() {
    for template in all() {
        assert_eq!(draft(template).problems(), Vec::new(), "{template:?}");
    }
}

#[test]
fn a_change_keeps_every_comment_and_all_that_it_is_not_about() {
    let mut draft = draft(Template::Pi);
    let before = draft.text();
    draft.set(&["name"], Form::Text, "box7");
    draft.set(&["rig", "devices", "valve", "longest_on"], Form::Text, "1 s");
    let expected = before
        .replace("name = \"box1\"", "name = \"box7\"")
        .replace("longest_on = \"2 s\"", "longest_on = \"1 s\"");
    assert_eq!(draft.text(), expected);
}

#[test]
fn a_device_that_is_read_and_written_back_changes_nothing() {
    for template in [Template::Pi, Template::Simulated, Template::Child] {
        let mut draft = draft(template);
        let before = draft.text();
        for name in draft.devices() {
            let device = draft.device(Pinned::Device, &name).unwrap();
            draft.put_device(Some(&name), &device);
        }
        for line in
            [Pinned::SyncOutput, Pinned::SyncInput].into_iter().filter(|line| template.draft(None).has(*line))
        {
            let device = draft.device(line, "").unwrap();
            draft.put_device(None, &device);
        }
        assert_eq!(draft.text(), before, "{template:?}");
    }
}

#[test]
fn a_device_that_gets_another_name_stays_in_its_place_with_its_comment() {
    let mut draft = draft(Template::Pi);
    let mut valve = draft.device(Pinned::Device, "valve").unwrap();
    valve.name = "water".to_owned();
    draft.put_device(Some("valve"), &valve);
    assert_eq!(draft.text(), Template::Pi.draft(None).text().replace("devices.valve]", "devices.water]"));
}

#[test]
fn a_comment_above_a_key_that_is_taken_away_stays() {
    let mut draft =
        Draft::read(Role::Pilot, "name = \"a\"\n# by the door\nterminal = \"find\"\ndata = \"x\"\n").unwrap();
    draft.remove(&["terminal"]);
    assert_eq!(draft.text(), "name = \"a\"\n# by the door\ndata = \"x\"\n");
}

#[test]
fn a_change_that_makes_something_wrong_is_refused_with_what_to_write_instead() {
    let mut draft = draft(Template::Pi);
    let before = draft.text();
    let mut poke = draft.device(Pinned::Device, "poke").unwrap();
    poke.lines[0].1 = "header 6".to_owned();
    let problems = draft.change(|draft| draft.put_device(Some("poke"), &poke)).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "header 6 is ground");
    assert!(problems[0].help.as_deref().unwrap().contains("near it and free: header"), "{problems:?}");
    let problems = draft.change(|draft| draft.set(&["name"], Form::Text, "box 1")).unwrap_err();
    assert!(problems[0].message.contains("letters, digits, - and _"), "{problems:?}");
    assert_eq!(draft.text(), before);
}

#[test]
fn of_two_mistakes_in_a_file_one_can_be_corrected_after_the_other() {
    let mut draft = Draft::read(Role::Pilot, "name = \"box 1\"\nterminal = \"tcp://x\"\n").unwrap();
    draft.change(|draft| draft.set(&["name"], Form::Text, "box1")).unwrap();
    draft.change(|draft| draft.set(&["terminal"], Form::Text, "tcp://x:5600")).unwrap();
    assert_eq!(draft.problems(), Vec::new());
    draft.change(|draft| draft.set(&["terminal"], Form::Text, "tcp://x")).unwrap_err();
}

#[test]
fn a_new_device_is_written_as_the_examples_are() {
    let mut draft = Template::Empty.draft(Some("Raspberry Pi 4 Model B"));
    let mut device = Device::new(Pinned::Device, "gpiocdev", "header 11");
    device.name = "poke".to_owned();
    device.add_port("left", "");
    device.add_port("right", "header 13");
    draft.change(|draft| draft.put_device(None, &device)).unwrap();
    let text = draft.text();
    assert!(
        text.ends_with(
            "\n[rig.devices.poke]\nkind = \"digital_input\"\ndriver = \"gpiocdev\"\npull = \"up\"\n\
             ports = { left = \"header 11\", right = \"header 13\" }\n"
        ),
        "{text}"
    );
}

#[test]
fn another_rig_comes_with_its_comments_and_leaves_the_rest() {
    let mut mine = draft(Template::Simulated);
    mine.set(&["name"], Form::Text, "mine");
    let changed = mine.with_rig_of(&draft(Template::Pi));
    assert_eq!(changed.problems(), Vec::new(), "{}", changed.text());
    assert_eq!(changed.get(&["name"]).as_deref(), Some("mine"));
    assert!(changed.text().contains("# Infrared beams"));
    assert!(changed.text().contains("# How fast time passes"));
    assert_eq!(changed.devices(), draft(Template::Pi).devices());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text: String) {
        for role in [Role::Terminal, Role::Pilot, Role::Child] {
            if let Ok(draft) = Draft::read(role, &text) {
                draft.problems();
            }
        }
    }

    #[test]
    fn whatever_is_typed_is_refused_or_written_as_it_is(typed in "[ -~]{0,12}") {
        let mut draft = Template::Pi.draft(None);
        if draft.change(|draft| draft.set(&["name"], Form::Text, &typed)).is_ok() {
            let read = Draft::read(Role::Pilot, &draft.text()).unwrap();
            prop_assert_eq!(read.get(&["name"]), Some(typed.trim().to_owned()));
        }
    }
}

#[test]
fn a_simulated_box_waits_for_no_child() {
    let draft = Template::Simulated.draft(None);
    assert_eq!(draft.problems(), []);
    let devices = draft.names(&["rig", "devices"]);
    assert!(devices.iter().any(|device| device == "wheel"), "{devices:?}");
    for device in devices {
        let driver = draft.get(&["rig", "devices", &device, "driver"]);
        assert_eq!(driver.as_deref(), Some("simulated"), "{device}");
    }
    assert!(!draft.text().contains("wheel-box1"), "nothing speaks of it");
}
