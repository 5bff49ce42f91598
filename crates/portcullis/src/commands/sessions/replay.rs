//! `portcullis sessions replay`.

use std::{collections::BTreeMap, io, process::ExitCode, time::Duration};

use clap::Args;
use recording::{
    Session,
    reader::{Recording, Records},
    record::{Channel, What},
};
use tokio::{
    sync::mpsc::{self, Receiver},
    time::sleep,
};

use super::{harmless::Harmless, place::Place, show::described, streams, timeline, timeline::Stream};
use crate::{
    commands::gate,
    terminal::{self, visible},
};

/// Bytes of a line that wait for its end.
const LONGEST_LINE: usize = 64 << 10;
/// Steps that are read before they are shown.
const AHEAD: usize = 4;
/// Where the stream ends that a killed gate was at.
const KILLED: &str = "a gate was killed here: the stream's end is lost";
/// For whoever stopped it: 128 and the number of SIGINT, as shells tell it.
const STOPPED: u8 = 130;

/// Play a stream of a session in this terminal, as it was shown to the agent
///
/// Only what shows something gets through to the terminal: text, colours, the cursor's movements. What is printed elsewhere than to
/// a terminal comes at once, with everything that nobody would see written out.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The session, as `sessions list` shows it
    #[arg(value_name = "SESSION")]
    session: Session,
    /// The stream, as `sessions show` numbers it; not needed where there is only one
    #[arg(long, value_name = "N")]
    stream: Option<u32>,
    /// How many times as fast, from 0.1 to 1000
    #[arg(long, value_name = "X", default_value = "1", value_parser = speed)]
    speed: f64,
    /// The longest that nothing happens
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = idle)]
    idle: Duration,
    #[command(flatten)]
    place: Place,
}

/// What is to be shown after a while.
#[derive(Debug, PartialEq)]
pub(super) struct Step {
    pub(super) pause: Duration,
    pub(super) text: String,
}

/// How a stream is played.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) speed: f64,
    pub(super) idle: Duration,
}

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let recording = self.place.shelf()?.recording(&self.session)?;
        let stream = streams::choose(&recording, self.stream)?;
        if !terminal::is_terminal() {
            printed(&recording, &stream, terminal::print_line)?;
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("{}", heading(&recording, &stream));
        gate::run(play(recording, stream, Pace { speed: self.speed, idle: self.idle }))
    }
}

fn heading(recording: &Recording, stream: &Stream) -> String {
    let what = stream.opened.as_ref().map_or_else(String::new, described);
    let size = stream.size.map_or_else(String::new, |(width, height)| {
        format!("; its terminal had {width} columns and {height} rows, and looks best in one like it")
    });
    visible(&format!("stream {} of {}: {what}{size}. Ctrl-C ends it.", stream.stream, recording.session()))
}

/// Plays to the end, or until somebody has seen enough.
async fn play(recording: Recording, stream: Stream, pace: Pace) -> anyhow::Result<ExitCode> {
    let (to, steps) = mpsc::channel(AHEAD);
    // On a thread of its own: there may be much between two steps that is of other streams, and nobody who has seen enough waits for it.
    let reading = std::thread::spawn(move || {
        let mut steps = Steps::new(&recording, &stream, pace);
        while let Some(step) = steps.next()
            && to.blocking_send((step, steps.harmless.end())).is_ok()
        {}
    });
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let code = shown(steps, stop, terminal::print).await?;
    // It has ended if all of it was shown.
    if code == ExitCode::SUCCESS && reading.join().is_err() {
        anyhow::bail!("the recording was not read to its end");
    }
    Ok(code)
}

/// Shows each step after its pause, and at the end what makes the terminal what it was.
pub(super) async fn shown(
    mut steps: Receiver<(Step, String)>,
    stop: impl Future<Output = ()>,
    mut print: impl FnMut(String) -> io::Result<()>,
) -> io::Result<ExitCode> {
    let (mut stop, mut end) = (std::pin::pin!(stop), Harmless::default().end());
    let code = loop {
        let next = async {
            let (step, end) = steps.recv().await?;
            sleep(step.pause).await;
            Some((step.text, end))
        };
        tokio::select! {
            biased;
            () = &mut stop => break ExitCode::from(STOPPED),
            next = next => match next {
                Some((text, after)) => {
                    print(text)?;
                    end = after;
                }
                None => break ExitCode::SUCCESS,
            },
        }
    };
    print(end)?;
    Ok(code)
}

/// A stream, step by step.
pub(super) struct Steps<'a> {
    records: Records<'a>,
    untold: Option<u64>,
    pub(super) harmless: Harmless,
    pace: Pace,
    /// The time of the step before.
    at: Option<u64>,
    ended: bool,
}

// === impl Steps ===

impl<'a> Steps<'a> {
    pub(super) fn new(recording: &'a Recording, stream: &Stream, pace: Pace) -> Self {
        Self {
            records: recording.stream(stream.stream),
            untold: recording.untold(),
            harmless: Harmless::new(stream.opened.as_ref().is_some_and(|opened| opened.tty)),
            pace,
            at: None,
            ended: false,
        }
    }

    /// Since the step before.
    fn pause(&mut self, at: u64) -> Duration {
        let before = self.at.replace(at).unwrap_or(at);
        let pause = Duration::from_micros(at.saturating_sub(before)).min(self.pace.idle);
        pause.div_f64(self.pace.speed)
    }

    /// Words of ours, on a line of their own, in reverse.
    fn said(text: &str) -> String {
        format!("\x1b[0m\r\n\x1b[7m[{}]\x1b[0m\r\n", visible(text))
    }
}

impl Iterator for Steps<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        while !self.ended {
            let record = match self.records.next()? {
                Ok(record) => record,
                Err(finding) => {
                    let text = Self::said(&timeline::told(&finding, self.untold));
                    return Some(Step { pause: Duration::ZERO, text });
                }
            };
            match record.what {
                What::Opened(_) => self.at = Some(record.at),
                What::Bytes { channel, bytes, .. } if channel.is_output() && self.at.is_some() => {
                    let (pause, text) = (self.pause(record.at), self.harmless.pass(&bytes.0));
                    return Some(Step { pause, text });
                }
                What::Closed { how, .. } => {
                    self.ended = true;
                    return Some(Step { pause: self.pause(record.at), text: Self::said(how.as_str()) });
                }
                // One before it began is none of its own.
                What::Interrupted { .. } if self.at.is_some() => {
                    self.ended = true;
                    let text = Self::said(KILLED);
                    return Some(Step { pause: Duration::ZERO, text });
                }
                _ => {}
            }
        }
        None
    }
}

/// Tells what a stream showed line by line, at once, with everything written out that nobody would see. What is wrong goes to
/// standard error.
pub(super) fn printed(
    recording: &Recording,
    stream: &Stream,
    mut print: impl FnMut(String) -> io::Result<()>,
) -> io::Result<()> {
    let mut lines: BTreeMap<Channel, Vec<u8>> = BTreeMap::new();
    let mut began = false;
    for record in recording.stream(stream.stream) {
        match record {
            Ok(record) => match record.what {
                What::Opened(_) => began = true,
                What::Bytes { channel, bytes, .. } if channel.is_output() => {
                    let waiting = lines.entry(channel).or_default();
                    for part in bytes.0.split_inclusive(|byte| *byte == b'\n') {
                        waiting.extend_from_slice(part);
                        if part.ends_with(b"\n") || waiting.len() >= LONGEST_LINE {
                            print(line(waiting))?;
                            waiting.clear();
                        }
                    }
                }
                What::Closed { .. } => break,
                // One before it began is none of its own.
                What::Interrupted { .. } if began => {
                    eprintln!("{KILLED}");
                    break;
                }
                _ => {}
            },
            Err(finding) => eprintln!("{}", visible(&timeline::told(&finding, recording.untold()))),
        }
    }
    lines.values().filter(|waiting| !waiting.is_empty()).try_for_each(|waiting| print(line(waiting)))
}

/// A line without its end.
fn line(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    visible(&String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes)))
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (0.1..=1000.0).contains(speed));
    speed.ok_or_else(|| format!("`{text}` is no speed; give from 0.1 to 1000"))
}

fn idle(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no number of seconds; give from 0 to 86400");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}
