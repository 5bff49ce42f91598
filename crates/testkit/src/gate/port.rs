//! Ports that stay ours before the gate listens, and between two runs of it.

use std::{net::Ipv4Addr, os::fd::OwnedFd};

use anyhow::{Context, bail};
use rustix::net::{
    AddressFamily, SocketAddrV4, SocketFlags, SocketType, bind, getsockname, socket_with, sockopt,
};

/// A port of 127.0.0.1 that nobody else is given while this is held.
///
/// The socket is bound and does not listen, with `SO_REUSEADDR`. Linux lets the gate bind the same address, since its
/// listener has that option too, and gives the port to nobody who asks for any free one (socket(7), ip(7)).
#[derive(Debug)]
pub(super) struct Port {
    number: u16,
    _socket: OwnedFd,
}

impl Port {
    pub(super) fn reserve() -> anyhow::Result<Self> {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .context("no socket")?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        let address = SocketAddrV4::try_from(getsockname(&socket)?)
            .or_else(|_other| bail!("the socket has another address than it was given"))?;
        Ok(Self { number: address.port(), _socket: socket })
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        net::{TcpListener, TcpStream},
    };

    use super::*;

    #[test]
    fn a_reserved_port_is_given_to_nobody_else_and_can_be_listened_on_again_and_again() {
        let port = Port::reserve().unwrap();
        let others: Vec<TcpListener> =
            (0..500).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        let others: HashSet<u16> =
            others.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(!others.contains(&port.number()));
        for _run in 0..2 {
            // As the gate does; the standard library sets SO_REUSEADDR, as tokio does.
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).unwrap();
            let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port.number())).unwrap();
            drop((listener.accept().unwrap(), client));
        }
    }
}
