//! Free ports on loopback, reserved until they are given back.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixListener};

use anyhow::{Result, bail};

/// Below the kernel's range for outgoing connections, so that no client of a
/// parallel test is given a port between its choice and the server's bind.
const FIRST: u64 = 10_000;
const COUNT: u64 = 22_000;

/// A TCP port that no other test takes while this value lives, also while the
/// server behind it is down.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// An abstract socket serves as the lock: it leaves no file and vanishes
    /// with the process.
    _lock: UnixListener,
}

impl Port {
    /// Reserves a free port.
    pub fn reserve() -> Result<Self> {
        for _ in 0..200 {
            let number = u16::try_from(FIRST + RandomState::new().build_hasher().finish() % COUNT)?;
            let name = UnixAddr::from_abstract_name(format!("postroom-test-port-{number}"))?;
            let Ok(lock) = UnixListener::bind_addr(&name) else { continue };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _lock: lock });
            }
        }
        bail!("no free loopback port was found in 200 tries")
    }

    pub fn number(&self) -> u16 {
        self.number
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_not_given_twice() {
        let ports: Vec<_> = (0..50).map(|_| Port::reserve().unwrap()).collect();
        let mut numbers: Vec<_> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 50);
    }

    #[test]
    fn a_reserved_port_can_be_listened_on() {
        let port = Port::reserve().unwrap();
        TcpListener::bind(port.address()).unwrap();
    }
}
