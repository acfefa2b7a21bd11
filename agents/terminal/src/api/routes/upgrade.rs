//! A request that becomes a WebSocket.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::refusal::{Allowed, Refusal};

/// The longest message that a page may send.
const LONGEST: usize = 64 << 10;

/// Answers the request, and has `then` go on with the WebSocket.
///
/// # Errors
/// Where the request is for none.
pub(super) fn upgrade<F>(
    mut request: Request,
    then: impl FnOnce(WebSocketStream<TokioIo<Upgraded>>) -> F + Send + 'static,
) -> Allowed<Response>
where
    F: Future<Output = ()> + Send,
{
    let no_upgrade = |why: &dyn std::fmt::Display| Refusal::wrong(format!("this is a WebSocket: {why}"));
    let answer = create_response_with_body(&request, Body::empty).map_err(|error| no_upgrade(&error))?;
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let upgrade = upgrade.ok_or_else(|| no_upgrade(&"the connection can't become one"))?;
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    tokio::spawn(async move {
        // A page that went meanwhile is told nothing.
        let Ok(upgraded) = upgrade.await else { return };
        let stream = TokioIo::new(upgraded);
        then(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await).await;
    });
    Ok(answer)
}
