//! Where connections go: through the machine's TCP, or through memory.
//!
//! In memory a connection is a pair of buffers between two tasks, so that a paused clock knows when
//! everybody waits. Over TCP it doesn't: the kernel may still be carrying bytes.

use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// Bytes on their way in one direction of a connection in memory: as Linux buffers at first.
const BUFFER_BYTES: usize = 64 << 10;
/// Connections that wait to be accepted, as a listening socket keeps them.
const BACKLOG: usize = 128;
/// The first port that is given to whoever asks for any.
const FIRST_FREE_PORT: u16 = 1_024;

/// Listens and connects. Clones in memory reach each other.
#[derive(Clone, Debug, Default)]
pub enum Sockets {
    /// TCP sockets of this machine.
    #[default]
    Tcp,
    /// Connections within this process.
    Memory(MemorySockets),
}

/// The addresses of a network in memory.
#[derive(Clone, Debug, Default)]
pub struct MemorySockets(Arc<Mutex<Addresses>>);

#[derive(Debug, Default)]
struct Addresses {
    listeners: BTreeMap<SocketAddr, mpsc::Sender<(DuplexStream, SocketAddr)>>,
    /// Ports given out to listeners so far. None is given out twice.
    given: u16,
    /// Connections made so far, from which follow the ports they seem to come from.
    connections: u16,
}

/// What takes connections at an address.
#[derive(Debug)]
pub struct Listener(Listening);

#[derive(Debug)]
enum Listening {
    Tcp(TcpListener),
    Memory {
        sockets: MemorySockets,
        address: SocketAddr,
        arrived: mpsc::Receiver<(DuplexStream, SocketAddr)>,
    },
}

/// One end of a connection.
#[derive(Debug)]
pub enum Socket {
    /// A connection over TCP.
    Tcp(TcpStream),
    /// A connection within the process, for simulations.
    Memory(DuplexStream),
}

// === impl Sockets ===

impl Sockets {
    /// Starts to listen at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// If the address can't be had, as when somebody else listens there.
    pub async fn listen(&self, address: SocketAddr) -> io::Result<Listener> {
        match self {
            Self::Tcp => Ok(Listener(Listening::Tcp(TcpListener::bind(address).await?))),
            Self::Memory(sockets) => sockets.listen(address),
        }
    }

    /// Connects to whoever listens at `address`.
    ///
    /// # Errors
    /// If nobody does, or takes no more connections.
    pub async fn connect(&self, address: SocketAddr) -> io::Result<Socket> {
        match self {
            Self::Tcp => Ok(Socket::Tcp(TcpStream::connect(address).await?)),
            Self::Memory(sockets) => sockets.connect(address),
        }
    }
}

// === impl MemorySockets ===

impl MemorySockets {
    fn listen(&self, mut address: SocketAddr) -> io::Result<Listener> {
        let mut addresses = self.0.lock();
        if address.port() == 0 {
            address.set_port(addresses.free_port()?);
        }
        if addresses.listeners.contains_key(&address) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let (sender, arrived) = mpsc::channel(BACKLOG);
        addresses.listeners.insert(address, sender);
        let sockets = self.clone();
        Ok(Listener(Listening::Memory {
            sockets,
            address,
            arrived,
        }))
    }

    fn connect(&self, address: SocketAddr) -> io::Result<Socket> {
        let mut addresses = self.0.lock();
        let from = SocketAddr::new(address.ip(), addresses.source_port());
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let listener = addresses.listeners.get(&address).ok_or_else(refused)?;
        let (near, far) = duplex(BUFFER_BYTES);
        listener.try_send((far, from)).map_err(|_| refused())?;
        Ok(Socket::Memory(near))
    }
}

impl Addresses {
    fn free_port(&mut self) -> io::Result<u16> {
        let port = FIRST_FREE_PORT.checked_add(self.given);
        self.given = self.given.saturating_add(1);
        port.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// Begins anew when all were used.
    fn source_port(&mut self) -> u16 {
        self.connections = self.connections.wrapping_add(1);
        FIRST_FREE_PORT.saturating_add(self.connections)
    }
}

// === impl Listener ===

impl Listener {
    /// The next connection, and where it comes from.
    ///
    /// # Errors
    /// What the operating system says; the next call may succeed.
    pub async fn accept(&mut self) -> io::Result<(Socket, SocketAddr)> {
        match &mut self.0 {
            Listening::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                Ok((Socket::Tcp(stream), from))
            }
            Listening::Memory { arrived, .. } => {
                let (stream, from) = arrived.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
                Ok((Socket::Memory(stream), from))
            }
        }
    }

    /// The address that it listens at.
    ///
    /// # Errors
    /// If the operating system doesn't know it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.0 {
            Listening::Tcp(listener) => listener.local_addr(),
            Listening::Memory { address, .. } => Ok(*address),
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(Listening::Tcp(listener))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Listening::Memory {
            sockets, address, ..
        } = &self.0
        {
            sockets.0.lock().listeners.remove(address);
        }
    }
}

// === impl Socket ===

impl Socket {
    /// Sends small writes at once, where they would wait for an answer to earlier ones.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn set_nodelay(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(true),
            Self::Memory(_) => Ok(()),
        }
    }
}

/// Calls a method of whichever stream it is.
macro_rules! delegate {
    ($socket:expr, $stream:ident => $call:expr) => {
        match $socket {
            Socket::Tcp($stream) => $call,
            Socket::Memory($stream) => $call,
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(cx, pieces))
    }

    fn is_write_vectored(&self) -> bool {
        delegate!(self, stream => stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    async fn says_hello(sockets: Sockets) {
        let mut listener = sockets.listen(ANY).await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_ne!(address.port(), 0);
        let mut client = sockets.connect(address).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"hello").await.unwrap();
        client.shutdown().await.unwrap();
        let mut heard = Vec::new();
        server.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"hello");
        drop(listener);
        assert!(sockets.connect(address).await.is_err());
    }

    #[tokio::test]
    async fn bytes_go_through_tcp() {
        says_hello(Sockets::Tcp).await;
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_go_through_memory() {
        says_hello(Sockets::Memory(MemorySockets::default())).await;
    }

    #[tokio::test]
    async fn an_address_belongs_to_one_listener() {
        let sockets = Sockets::Memory(MemorySockets::default());
        let listener = sockets.listen(ANY).await.unwrap();
        let taken = sockets.listen(listener.local_addr().unwrap()).await;
        assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
