//! The page's connections: as they come, or with TLS.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::refusal::{Allowed, Refusal};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// So many handshakes run at a time.
const TOGETHER: usize = 64;
/// How long to wait where the system gives no connection.
const RETRY: Duration = Duration::from_millis(100);

/// What TLS begins with: a record with a handshake (RFC 8446, section 5.1). A request begins with a letter.
const HANDSHAKE_RECORD: u8 = 22;
/// What is answered to a request without TLS.
const WITHOUT_TLS: &str = "This page is there with TLS only: write https:// before its address.\n";

/// What a browser and this terminal talk through.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where browsers come in.
pub(crate) struct Entrance {
    coming: mpsc::Receiver<(Box<dyn Stream>, SocketAddr)>,
    address: SocketAddr,
}

/// Where a browser is; nowhere for a command on the Unix socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct From(pub(crate) Option<SocketAddr>);

impl Connected<IncomingStream<'_, Entrance>> for From {
    fn connect_info(stream: IncomingStream<'_, Entrance>) -> From {
        From(Some(*stream.remote_addr()))
    }
}

impl Connected<IncomingStream<'_, UnixListener>> for From {
    fn connect_info(_: IncomingStream<'_, UnixListener>) -> From {
        From(None)
    }
}

impl Entrance {
    /// The connections of a listener, each with its handshake where there is TLS. A browser that
    /// is slow at that is in nobody's way.
    ///
    /// # Errors
    /// Where the listener has no address.
    pub(crate) fn new(listener: TcpListener, tls: Option<Arc<ServerConfig>>) -> io::Result<Entrance> {
        let address = listener.local_addr()?;
        let (come, coming) = mpsc::channel(1);
        tokio::spawn(accept(listener, tls.map(TlsAcceptor::from), come));
        Ok(Entrance { coming, address })
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    come: mpsc::Sender<(Box<dyn Stream>, SocketAddr)>,
) {
    let turns = Arc::new(Semaphore::new(TOGETHER));
    loop {
        // The semaphore is never closed.
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = come.closed() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, from)) = accepted else {
            tokio::time::sleep(RETRY).await;
            continue;
        };
        // Without it small messages wait for each other.
        let _ = stream.set_nodelay(true);
        let (tls, come) = (tls.clone(), come.clone());
        tokio::spawn(async move {
            let _turn = turn;
            let stream: Box<dyn Stream> = match tls {
                None => Box::new(stream),
                Some(tls) => match tokio::time::timeout(HANDSHAKE, secured(&tls, stream)).await {
                    Ok(Ok(Some(stream))) => stream,
                    _ => return tracing::debug!(%from, "a browser came without TLS, or was too slow at it"),
                },
            };
            // Where it can't be taken any more, the terminal is about to end.
            let _ = come.send((stream, from)).await;
        });
    }
}

/// The connection after its handshake; who comes without one is told so, and gets none.
async fn secured(tls: &TlsAcceptor, mut stream: TcpStream) -> io::Result<Option<Box<dyn Stream>>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE_RECORD {
        // What is not read when it closes would have the system take the answer back.
        let _ = stream.read(&mut [0; 8192]).await?;
        let length = WITHOUT_TLS.len();
        let answer = format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{WITHOUT_TLS}"
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        return Ok(None);
    }
    Ok(Some(Box::new(tls.accept(stream).await?)))
}

impl Listener for Entrance {
    type Io = Box<dyn Stream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Box<dyn Stream>, SocketAddr) {
        match self.coming.recv().await {
            Some(one) => one,
            // Whoever accepts has gone with the runtime.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// TLS with the certificates and the key in these files.
///
/// # Errors
/// Where one can't be read, or they don't fit together.
pub(crate) fn config(certificate: &Path, key: &Path) -> Allowed<Arc<ServerConfig>> {
    let unusable = |path: &Path, why: &dyn std::fmt::Display| {
        Refusal::failed(format!("the page's TLS can't use {}: {why}", path.display())).help(
            "[web] certificate and key are files in PEM: the certificate with those above it, and its key",
        )
    };
    let certificates = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(certificate, &error))?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|error| unusable(certificate, &error))?;
    Ok(Arc::new(config))
}
