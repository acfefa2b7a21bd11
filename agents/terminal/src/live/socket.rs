//! One page's WebSocket.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::feed::{Feed, Next};
use super::wire::{Changes, Live, Snapshot, TerminalNow, Watch};
use crate::desk::Desk;

/// How long after one message the next may be sent.
const PAUSE: Duration = Duration::from_millis(50);
/// How often the terminal says how it fares itself.
const TERMINAL_EVERY: Duration = Duration::from_secs(5);

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
    let mut tick = interval(TERMINAL_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick.reset();
    let mut alerts = desk.alerts.subscribe();
    let mut alerted = None;
    let first = snapshot(&desk, &mut feed, &mut alerted);
    if send(&mut socket, &first).await.is_err() {
        return;
    }
    let mut sent = Instant::now();
    loop {
        let mut terminal = None;
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
                tokio::time::sleep_until(sent + PAUSE).await;
                changes.borrow_and_update();
            }
            changed = alerts.changed() => {
                if changed.is_err() {
                    return;
                }
                tokio::time::sleep_until(sent + PAUSE).await;
            }
            _ = tick.tick() => terminal = Some(now(&desk)),
        }
        if !allowed() {
            return;
        }
        let Some(message) = next(&desk, &mut feed, terminal, &mut alerted) else { continue };
        if send(&mut socket, &message).await.is_err() {
            return;
        }
        sent = Instant::now();
    }
}

/// Everything; `alerted` is what of the alerts the page has then.
fn snapshot(desk: &Desk, feed: &mut Feed, alerted: &mut Option<u64>) -> Live {
    let status = desk.status();
    *alerted = None;
    let alerts = desk.alerts.since(alerted).unwrap_or_default();
    let snapshot = desk.state.show(|board, lab| feed.snapshot(board, lab, status, Timestamp::now()));
    Live::Snapshot(Snapshot { alerts, ..snapshot })
}

fn next(
    desk: &Desk,
    feed: &mut Feed,
    terminal: Option<TerminalNow>,
    alerted: &mut Option<u64>,
) -> Option<Live> {
    let at = Timestamp::now();
    let changes = match desk.state.show(|board, lab| feed.next(board, lab, at)) {
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
