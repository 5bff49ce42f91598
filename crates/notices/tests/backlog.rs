//! A full outbox, in a process of its own whose memory can be looked at.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use notices::{Channel, Filter, Outbox, Sender, SystemClock, Target, Targets};
use sqlx::{Connection as _, SqliteConnection};
use store::Store;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// As if they had been added one after the other: 10,000 of about 1 KiB each.
const FILL: &str = r#"
    WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 10000)
    INSERT INTO notices (number, id, added_at, notice)
    SELECT n, 'n-' || n, 1800000000000000 + n, json_object(
        'id', 'n-' || n, 'at', '2027-01-15T08:00:00Z', 'event', 'approval_asked', 'cluster', 'prod', 'agent', 'claude',
        'delegator', 'ada', 'session', 's-1', 'approval', NULL, 'what', printf('%.*c', 500, 'x'),
        'reason', printf('%.*c', 500, 'x'), 'rules', json_array(), 'approvers', json_array(),
        'decide_by', NULL, 'console', NULL)
    FROM counted;
    INSERT INTO notice_deliveries (target, due, notice) SELECT 'chat', 1700000000000000 + number, number FROM notices;
"#;

/// How many of them are told before it is looked.
const TOLD: usize = 1_000;

/// The most memory that this process has ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Answers the first `most` requests with 200, and counts them.
async fn serve(listener: TcpListener, most: usize) -> io::Result<usize> {
    let (mut stream, _) = listener.accept().await?;
    let (reading, mut writing) = stream.split();
    let mut reading = BufReader::new(reading);
    for told in 0..most {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reading.read_line(&mut line).await? == 0 {
                return Ok(told);
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim_end().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        reading.read_exact(&mut vec![0; length]).await?;
        writing.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
    Ok(most)
}

#[tokio::test]
async fn ten_thousand_notices_take_the_room_of_one() {
    let data = TempDir::new().unwrap();
    Store::open(data.path()).await.unwrap().close().await;
    let url = format!("sqlite://{}", data.path().join("state.sqlite").display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(FILL).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = data.path().join("address");
    fs::write(&address, format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    fs::set_permissions(&address, fs::Permissions::from_mode(0o600)).unwrap();
    let (channel, timeout) = (Channel::Slack { address_file: address }, Duration::from_secs(60));
    let target =
        Target { name: "chat".parse().unwrap(), filter: Filter::default(), channel, ca_file: None, timeout };
    let targets = Targets::open(vec![target]).unwrap();
    let store = Arc::new(Store::open(data.path()).await.unwrap());
    let outbox = Arc::new(Outbox::new(store.clone(), &targets, Arc::new(SystemClock)));
    let stop = CancellationToken::new();

    let before = peak();
    let sender = tokio::spawn(Sender::new(outbox, targets).run(stop.clone()));
    assert_eq!(serve(listener, TOLD).await.unwrap(), TOLD);
    let grown = peak() - before;
    stop.cancel();
    sender.await.unwrap();
    // All of them are over 10 MB; SQLite keeps up to 2 MB of its pages.
    assert!(grown < 6 * 1024, "{grown} KiB");
    assert!(store.next_notice("chat").await.unwrap().unwrap().number >= i64::try_from(TOLD).unwrap());
}
