use std::sync::Arc;

use door::Slots;
use futures_util::FutureExt;
use kube_api::Head;
use parking_lot::{Condvar, Mutex};
use recording::at_rest::{Close, Plain};
use streaming::protocol::{RemoteCommand, Version};
use tokio::sync::Semaphore;

use super::*;
use crate::{
    bench::{Bench, With},
    interrupt,
    stream::opening,
};

/// A disk that takes its time.
#[derive(Debug, Default)]
struct Disk {
    stuck: Mutex<bool>,
    changed: Condvar,
}

impl Disk {
    fn is_stuck(&self, stuck: bool) {
        *self.stuck.lock() = stuck;
        self.changed.notify_all();
    }
}

impl Close for Disk {
    fn form(&self) -> &'static str {
        Plain.form()
    }

    fn close(&self, compressed: Vec<u8>) -> std::io::Result<Vec<u8>> {
        self.changed.wait_while(&mut self.stuck.lock(), |stuck| *stuck);
        Plain.close(compressed)
    }
}

/// A stream whose recorder has room for nothing more.
async fn stuck(disk: &Arc<Disk>) -> (Running, Inbound) {
    let bench = Bench::with(With { at_rest: Arc::clone(disk) as _, ..With::default() }).await;
    let mut call = bench.call();
    assert!(call.begin_recording().await.is_ok());
    let path = "/api/v1/namespaces/a/pods/web/exec?command=sh&stdin=true";
    let (parts, ()) = http::Request::post(path).body(()).unwrap().into_parts();
    let request = Head::parse(&parts).unwrap().with_body(b"").unwrap();
    let recorded = call.recorded().unwrap();
    let tape = recorded.tap().open(opening::of(&call, &request)).await.unwrap();
    let permit = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
    let places = Arc::new((permit, Slots::new(1).take("one").unwrap()));
    let inbound = Inbound::new(call.upstream().guard());
    let protocol = RemoteCommand::WebSocket(Version::V5);
    let running = Running::new(call, &request, protocol, tape, (recorded.clone(), places));

    // From here on, the recorder gives no room back.
    recorded.tap().flush().await.unwrap();
    disk.is_stuck(true);
    let body = vec![b'x'; 1 << 20];
    while recorded.tap().called("c", "a", Some(body[..].into())).now_or_never().is_some() {}
    let one = || running.tape.bytes(Channel::Stdout, Bytes::from_static(b"x"));
    while one().now_or_never().is_some() {}
    (running, inbound)
}

#[tokio::test]
async fn what_waits_for_the_recorder_is_not_lost_when_that_is_given_up() {
    let disk = Arc::new(Disk::default());
    let (running, mut inbound) = stuck(&disk).await;
    let text = Bytes::from("a line that is typed in\n".repeat(100));
    let said = FromClient::Stdin(text.clone());
    assert!(inbound.record(&running, &said).now_or_never().is_none(), "it waits");
    disk.is_stuck(false);
    let Received { bytes, rest } = inbound.ended();
    assert_eq!((bytes, rest), (text.len() as u64, text));
}

/// Whoever waits is waited for, and no longer than that: what was not recorded is an error to who would pass it on, and the stream is at its end.
#[tokio::test]
async fn a_recorder_that_does_not_keep_up_ends_the_stream() {
    let disk = Arc::new(Disk::default());
    let (running, mut inbound) = stuck(&disk).await;
    tokio::time::pause();
    let said = FromClient::Stdin(Bytes::from("typed in"));
    let (recorded, ending) = tokio::join!(
        inbound.record(&running, &said),
        interrupt::interrupted(&running.call, interrupt::Nature::Tunnel, &running.target)
    );
    assert_eq!((recorded, ending), (Err(recording::Stopped::Stalled), Ending::Unrecordable));
    disk.is_stuck(false);
}
