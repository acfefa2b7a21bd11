//! The form on a real terminal: its keys, its screen, and what it asks for.

use std::io;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use bramble_discovery::{Wanted, find};
use bramble_identity::Role;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::answers::Answers;
use crate::form::{Ask, Form, Found, Key, Looked};
use crate::screen;

/// How long terminals are looked for.
const LOOKING: Duration = Duration::from_secs(3);

/// How often it is seen whether something was found.
const GLANCE: Duration = Duration::from_millis(200);

/// Has the answers given on this terminal; `None` where nothing is to be written.
///
/// # Errors
/// Where the terminal fails.
pub(crate) fn ask(answers: Answers) -> io::Result<Option<Answers>> {
    let mut terminal = ratatui::try_init()?;
    let form = run(&mut terminal, Form::new(answers));
    // Not every terminal has another screen to leave: what was on it goes.
    let cleared = terminal.clear();
    ratatui::try_restore()?;
    cleared?;
    form
}

fn run(terminal: &mut DefaultTerminal, mut form: Form) -> io::Result<Option<Answers>> {
    let mut search: Option<Receiver<Looked>> = None;
    loop {
        let mut fits = true;
        terminal.draw(|frame| {
            fits = screen::fits(frame.area());
            screen::draw(&form.view(), frame);
        })?;
        if let Some(found) = &search {
            match found.try_recv() {
                Ok(looked) => {
                    form.found(looked);
                    search = None;
                    continue;
                }
                Err(TryRecvError::Disconnected) => search = None,
                Err(TryRecvError::Empty) => {}
            }
            if !event::poll(GLANCE)? {
                continue;
            }
        }
        let key = match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => known(key),
            _ => None,
        };
        let Some(key) = key else { continue };
        if !fits {
            if matches!(key, Key::Ctrl('c' | 'q')) {
                return Ok(None);
            }
            continue;
        }
        match form.key(key) {
            None => {}
            Some(Ask::Look) => search = Some(look()),
            Some(Ask::Write) => return Ok(Some(form.answers().clone())),
            Some(Ask::Leave) => return Ok(None),
        }
    }
}

/// Looks for terminals, beside the form.
fn look() -> Receiver<Looked> {
    let (found, here) = channel();
    std::thread::spawn(move || {
        let wanted = Wanted { role: Role::Terminal, swarm: None, name: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let looked = runtime
            .map_err(|error| error.to_string())
            .and_then(|runtime| runtime.block_on(find(&wanted, LOOKING)).map_err(|error| error.to_string()));
        let one = |found: bramble_discovery::Found| Found {
            name: found.agent.name.to_string(),
            place: found.addresses.first().map(ToString::to_string).unwrap_or_default(),
        };
        // Where the form has ended, nobody wants to know.
        let _ = found.send(match looked {
            Ok(all) => Looked::Found(all.into_iter().map(one).collect()),
            Err(why) => Looked::Failed(why),
        });
    });
    here
}

/// The key, where the form knows it.
fn known(event: KeyEvent) -> Option<Key> {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char(letter) if control => Key::Ctrl(letter.to_ascii_lowercase()),
        KeyCode::Char(letter) if !event.modifiers.contains(KeyModifiers::ALT) => Key::Char(letter),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::F(number) => Key::F(number),
        _ => return None,
    })
}
