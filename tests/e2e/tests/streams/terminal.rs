//! `kubectl exec -it`: a terminal at both ends.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::AsFd,
    process::Stdio,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use anyhow::{Context, ensure};
use e2e::{eventually, furnish, permissive, start};
use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::{TRANSPORTS, over};

/// Its prompt has no newline: it has to be seen though nothing follows.
const SHELL: &str = "while true; do printf 'ready> '; read line; eval \"$line\"; done";

/// A terminal, as whoever looks at it has it.
struct Terminal {
    master: File,
    shown: Receiver<Vec<u8>>,
    screen: String,
}

impl Terminal {
    fn open(columns: u16, rows: u16) -> anyhow::Result<(Self, File)> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = File::options().read(true).write(true).open(ptsname(&master, Vec::new())?.to_str()?)?;
        let master = File::from(master);
        let (showing, shown) = channel();
        let mut reading = master.try_clone()?;
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = reading.read(&mut piece) {
                if showing.send(piece.get(..read).unwrap_or_default().to_vec()).is_err() {
                    return;
                }
            }
        });
        let terminal = Self { master, shown, screen: String::new() };
        terminal.resize(columns, rows)?;
        Ok((terminal, slave))
    }

    fn resize(&self, columns: u16, rows: u16) -> anyhow::Result<()> {
        let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(tcsetwinsize(self.master.as_fd(), size)?)
    }

    fn type_in(&mut self, keys: &str) -> anyhow::Result<()> {
        Ok(self.master.write_all(keys.as_bytes())?)
    }

    /// Waits until `text` is on the screen.
    fn until(&mut self, text: &str) -> anyhow::Result<()> {
        while !self.screen.contains(text) {
            let piece = self.shown.recv_timeout(Duration::from_secs(20));
            let piece = piece.with_context(|| format!("no {text:?} in {:?}", self.screen))?;
            self.screen.push_str(&String::from_utf8_lossy(&piece));
        }
        Ok(())
    }
}

#[test]
fn a_shell_is_used_its_window_resized_and_its_exit_code_told() -> anyhow::Result<()> {
    let namespace = "streams-terminal";
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("terminal")?;
    for (transport, websockets) in TRANSPORTS {
        let (mut terminal, slave) = Terminal::open(100, 40)?;
        let shell = ["-n", namespace, "exec", "-it", "deploy/web", "--", "sh", "-c", SHELL];
        let mut command = over(session.command(&shell)?, websockets);
        command.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(Stdio::from(slave));
        let mut kubectl = command.spawn()?;
        terminal.until("ready> ")?;
        // What kubectl learns of its window it tells when it gets round to it.
        let kubectl_pid = Pid::from_child(&kubectl);
        for (columns, rows) in [(100, 40), (120, 50)] {
            terminal.resize(columns, rows)?;
            kill_process(kubectl_pid, Signal::WINCH)?;
            let size = format!("{rows} {columns}\r\n");
            eventually(&size, || {
                terminal.screen.clear();
                terminal.type_in("stty size; echo asked\r")?;
                terminal.until("\nasked")?;
                Ok(if terminal.screen.contains(&size) { Ok(()) } else { Err(terminal.screen.clone()) })
            })?;
        }
        // It ends as it would directly: by itself, or by the signal that a terminal makes of a key.
        let (keys, code) = if transport == "SPDY" { ("\u{3}", 130) } else { ("exit 5\r", 5) };
        terminal.type_in(keys)?;
        let status = kubectl.wait()?;
        ensure!(status.code() == Some(code), "{transport}: {status:?}: {}", terminal.screen);
    }
    Ok(())
}
