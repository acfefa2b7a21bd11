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
use super::wire::{Changes, Live, TerminalNow, Watch};
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
    let first = snapshot(&desk, &mut feed);
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
            _ = tick.tick() => terminal = Some(now(&desk)),
        }
        if !allowed() {
            return;
        }
        let Some(message) = next(&desk, &mut feed, terminal) else { continue };
        if send(&mut socket, &message).await.is_err() {
            return;
        }
        sent = Instant::now();
    }
}

fn snapshot(desk: &Desk, feed: &mut Feed) -> Live {
    let status = desk.status();
    Live::Snapshot(desk.state.show(|board, lab| feed.snapshot(board, lab, status, Timestamp::now())))
}

fn next(desk: &Desk, feed: &mut Feed, terminal: Option<TerminalNow>) -> Option<Live> {
    let at = Timestamp::now();
    match desk.state.show(|board, lab| feed.next(board, lab, at)) {
        Next::Behind => Some(snapshot(desk, feed)),
        Next::Changes(changes) => Some(Live::Changes(Changes { terminal, ..*changes })),
        Next::Nothing => {
            terminal.map(|terminal| Live::Changes(Changes { terminal: Some(terminal), ..Changes::none(at) }))
        }
    }
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
