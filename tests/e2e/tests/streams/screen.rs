//! A terminal, as whoever looks at it has it.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::AsFd,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use e2e::eventually;
use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

/// Its prompt has no newline: it has to be seen though nothing follows.
pub(crate) const SHELL: &str = "while true; do printf 'ready> '; read -r line; eval \"$line\"; done";

const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal at which kubectl runs [`SHELL`].
pub(crate) struct Terminal {
    kubectl: Child,
    master: File,
    shown: Receiver<Vec<u8>>,
    screen: Vec<u8>,
}

impl Terminal {
    /// Runs kubectl at a terminal of its own.
    pub(crate) fn run(mut command: Command) -> anyhow::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = File::options().read(true).write(true).open(ptsname(&master, Vec::new())?.to_str()?)?;
        let master = File::from(master);
        resize(&master, 100, 40)?;
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
        command.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(Stdio::from(slave));
        let kubectl = command.spawn()?;
        Ok(Self { kubectl, master, shown, screen: Vec::new() })
    }

    /// Gives the window another size, and waits until the shell has it. What was on the screen is gone.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) -> anyhow::Result<()> {
        resize(&self.master, columns, rows)?;
        // What kubectl learns of its window it tells when it gets round to it.
        kill_process(Pid::from_child(&self.kubectl), Signal::WINCH)?;
        let size = format!("{rows} {columns}\r\n");
        eventually(&size, || {
            let shown = self.asked("stty size")?;
            Ok(if shown.contains(&size) { Ok(()) } else { Err(shown) })
        })
    }

    /// Types a line, and gives what is on the screen once the shell asks for another. It is cleared before.
    pub(crate) fn asked(&mut self, line: &str) -> anyhow::Result<String> {
        self.screen.clear();
        self.type_in(&format!("{line}; echo asked\r"))?;
        self.until("\nasked\r\nready> ")?;
        Ok(String::from_utf8_lossy(&self.screen).into_owned())
    }

    pub(crate) fn type_in(&mut self, keys: &str) -> anyhow::Result<()> {
        Ok(self.master.write_all(keys.as_bytes())?)
    }

    /// Waits until `text` is on the screen.
    pub(crate) fn until(&mut self, text: &str) -> anyhow::Result<()> {
        while memchr::memmem::find(&self.screen, text.as_bytes()).is_none() {
            let piece = self.shown.recv_timeout(PATIENCE);
            let piece = piece.with_context(|| {
                format!("no {text:?} on the screen: {}", String::from_utf8_lossy(&self.screen))
            })?;
            self.screen.extend(piece);
        }
        Ok(())
    }

    /// Types what ends it; gives what else is shown, and the exit code.
    pub(crate) fn end(mut self, keys: &str) -> anyhow::Result<(String, Option<i32>)> {
        self.screen.clear();
        self.type_in(keys)?;
        loop {
            match self.shown.recv_timeout(PATIENCE) {
                Ok(piece) => self.screen.extend(piece),
                // kubectl had the other end of it.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    bail!("it does not end: {}", String::from_utf8_lossy(&self.screen))
                }
            }
        }
        let code = self.kubectl.wait()?.code();
        Ok((String::from_utf8_lossy(&self.screen).into_owned(), code))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _gone = self.kubectl.kill();
        let _reaped = self.kubectl.wait();
    }
}

fn resize(master: &File, columns: u16, rows: u16) -> anyhow::Result<()> {
    let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(tcsetwinsize(master.as_fd(), size)?)
}
