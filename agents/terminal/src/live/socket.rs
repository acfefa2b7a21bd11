//! One page's WebSocket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::feed::{Feed, Next};
use super::wire::{Changes, Live, Snapshot, TerminalNow, Watch};
use crate::desk::Desk;

/// From one moment to the next at which pages are sent what changed: all at the same one, so
/// that the lab is looked at for all of them at once.
const PAUSE: Duration = Duration::from_millis(50);
/// How often the terminal says how it fares itself: a page that hears nothing for some times as
/// long knows that it isn't heard any more.
const TERMINAL_EVERY: Duration = Duration::from_millis(2_500);

/// Sends a page what changes, until it goes or `allowed` says that it must. While it doesn't
/// read, this waits, and nothing is kept for it.
pub(crate) async fn show<S: AsyncRead + AsyncWrite + Send + Unpin>(
    mut socket: WebSocketStream<S>,
    desk: Arc<Desk>,
    watch: Watch,
    allowed: impl Fn() -> bool + Send,
) {
    let mut feed = Feed::new(watch.watch);
    let mut changes = desk.state.subscribe();
    let began = desk.state.began;
    let mut tick = interval(TERMINAL_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick.reset();
    let mut alerts = desk.alerts.subscribe();
    let mut alerted = None;
    let first = snapshot(&desk, &mut feed, &mut alerted);
    if send(&mut socket, &first).await.is_err() {
        return;
    }
    loop {
        let mut terminal = None;
        let mut since = Instant::now();
        tokio::select! {
            heard = socket.next() => match heard {
                Some(Ok(Message::Text(text))) => match serde_json::from_str::<Watch>(&text) {
                    Ok(Watch { watch }) => feed.watch(watch),
                    Err(_) => return,
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                // What changes from here on is heard of again.
                since = Instant::now();
                tokio::time::sleep_until(next_turn(began, since).into()).await;
            }
            changed = alerts.changed() => {
                if changed.is_err() {
                    return;
                }
                tokio::time::sleep_until(next_turn(began, since).into()).await;
            }
            _ = tick.tick() => terminal = Some(now(&desk)),
        }
        if !allowed() {
            return;
        }
        let Some(message) = next(&desk, since, &mut feed, terminal, &mut alerted) else { continue };
        if send(&mut socket, &message).await.is_err() {
            return;
        }
    }
}

/// The first moment after `now` at which pages are sent something, where one of them was `began`.
fn next_turn(began: Instant, now: Instant) -> Instant {
    let turns = now.saturating_duration_since(began).as_nanos() / PAUSE.as_nanos() + 1;
    began + PAUSE * u32::try_from(turns).unwrap_or(u32::MAX)
}

/// Everything; `alerted` is what of the alerts the page has then.
fn snapshot(desk: &Desk, feed: &mut Feed, alerted: &mut Option<u64>) -> Live {
    let status = desk.status();
    *alerted = None;
    let alerts = desk.alerts.since(alerted).unwrap_or_default();
    let snapshot =
        desk.state.show(Instant::now(), |board, lab| feed.snapshot(board, lab, status, Timestamp::now()));
    Live::Snapshot(Snapshot { alerts, ..snapshot })
}

fn next(
    desk: &Desk,
    since: Instant,
    feed: &mut Feed,
    terminal: Option<TerminalNow>,
    alerted: &mut Option<u64>,
) -> Option<Live> {
    let at = Timestamp::now();
    let changes = match desk.state.show(since, |board, lab| feed.next(board, lab, at)) {
        Next::Behind => return Some(snapshot(desk, feed, alerted)),
        Next::Changes(changes) => Some(*changes),
        Next::Nothing => None,
    };
    let alerts = desk.alerts.since(alerted);
    if changes.is_none() && terminal.is_none() && alerts.is_none() {
        return None;
    }
    let changes = changes.unwrap_or_else(|| Changes::none(at));
    Some(Live::Changes(Changes { terminal, alerts, ..changes }))
}

fn now(desk: &Desk) -> TerminalNow {
    let status = desk.status();
    TerminalNow { health: status.health, refused: status.refused, notice: status.notice }
}

async fn send<S>(socket: &mut WebSocketStream<S>, message: &Live) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let text = serde_json::to_string(message).map_err(|error| Error::Io(error.into()))?;
    socket.send(Message::Text(text.into())).await
}
