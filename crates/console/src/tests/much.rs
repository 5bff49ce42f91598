//! Timelines of which the recording has more than fits on a page: the newest comes first, and nothing is left out.

use recording::record::{Channel, Payload, What};

use super::bench::{Bench, Browser, SESSION, grace};
use super::replay::{PAGE, intent, opened};
use super::seen::Seen;

fn closed(stream: u32) -> What {
    What::Closed { stream, how: "exit status 0".into() }
}

/// The session's page, and those before it, until there is none.
async fn pages(visitor: &Browser<'_>) -> Vec<Seen> {
    let mut pages = vec![visitor.get(PAGE).await];
    while let Some(older) = pages.last().and_then(older) {
        assert!(pages.len() < 10, "{older}");
        pages.push(visitor.get(&older).await);
    }
    pages
}

fn older(page: &Seen) -> Option<String> {
    let query = format!("{PAGE}?");
    page.attributes("href")
        .into_iter()
        .find(|link| link.starts_with(&query))
        .map(|link| link.replace("&amp;", "&"))
}

/// The numbers of the streams on a page, the newest first.
fn streams(page: &Seen) -> Vec<u32> {
    let streams = format!("{PAGE}/streams/");
    let links = page.attributes("href");
    links.iter().filter_map(|link| link.strip_prefix(&streams)?.parse().ok()).collect()
}

#[tokio::test]
async fn what_was_done_after_much_was_printed_is_on_the_first_page() {
    let bench = Bench::new().await;
    bench.record(intent("c-1", "create", "/api/v1/namespaces/shop/pods/web-1/exec", None)).await;
    let mut script =
        bench.script(SESSION).at(0, What::Began {}).at(1, opened(1, "c-1", false, &["early"])).sealed();
    // It has no end of its own, as where a recording is full.
    script = script.at(2, opened(3, "c-1", false, &["early"]));
    for number in 0..260 {
        let bytes = Payload(vec![0; 256 << 10].into());
        script = script.at(10 + number, What::Bytes { stream: 1, channel: Channel::Stdout, bytes }).sealed();
    }
    script = script.at(400, opened(2, "c-1", false, &["late"])).at(500, closed(1)).at(600, closed(2));
    bench.tell(&script.stopped()).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let pages = pages(&visitor).await;
    assert_eq!(pages.iter().map(streams).collect::<Vec<_>>(), [vec![2], vec![3, 1]]);
    let told: Vec<String> = pages
        .iter()
        .map(|page| {
            page.main()
                .lines()
                .filter(|line| line.contains("recording"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
                .join("\n")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n\n"));
    let has_call = |page: &&Seen| page.main().contains("pods/web-1/exec");
    assert_eq!(pages.iter().filter(has_call).count(), 1, "a call is where its time is");
    let player = |page: &Seen| page.html.contains("data-cast");
    let (much, little) =
        (visitor.get(&format!("{PAGE}/streams/1")).await, visitor.get(&format!("{PAGE}/streams/2")).await);
    assert!(
        !player(&much) && much.main().contains("too much for a player") && player(&little),
        "{}",
        much.main()
    );
    // Its end is looked for beyond the page.
    assert!(pages[1].main().contains("the recording ended before it"), "{}", pages[1].main());
}

#[tokio::test]
async fn a_thousand_streams_are_on_a_few_pages() {
    let bench = Bench::new().await;
    bench.record(intent("c-1", "create", "/api/v1/namespaces/shop/pods/web-1/portforward", None)).await;
    let mut script = bench.script(SESSION).at(0, What::Began {});
    for stream in 1..=1_000 {
        let at = u64::from(stream);
        script = script.at(at, opened(stream, "c-1", false, &["one"])).at(at, closed(stream));
    }
    bench.tell(&script.stopped()).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let pages = pages(&visitor).await;
    let all: Vec<u32> = pages.iter().flat_map(streams).collect();
    assert_eq!(all, (1..=1_000).rev().collect::<Vec<u32>>());
    assert!(pages.iter().all(|page| streams(page).len() < 400) && pages.len() <= 5, "{}", pages.len());
}

#[tokio::test]
async fn what_ends_too_long_after_its_page_is_not_called_open() {
    let bench = Bench::new().await;
    bench.record(intent("c-1", "create", "/api/v1/namespaces/shop/pods/web-1/exec", None)).await;
    let mut script = bench.script(SESSION).at(0, What::Began {}).at(1, opened(1, "c-1", false, &["early"]));
    script = script.at(2, opened(2, "c-1", false, &["much"])).sealed();
    for number in 0..260 {
        for _quarter in 0..4 {
            let bytes = Payload(vec![0; 256 << 10].into());
            script = script.at(10 + number, What::Bytes { stream: 2, channel: Channel::Stdout, bytes });
        }
        script = script.sealed();
    }
    bench.tell(&script.at(500, closed(1)).at(600, closed(2)).stopped()).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let pages = pages(&visitor).await;
    let oldest = pages.last().unwrap();
    assert_eq!(streams(oldest), [2, 1]);
    assert!(
        oldest.main().contains("its end was not looked for") && !oldest.main().contains("no end of it"),
        "{}",
        oldest.main()
    );
    let own = visitor.get(&format!("{PAGE}/streams/1")).await;
    assert!(own.main().contains("exit status 0"), "{}", own.main());
    // It is too long for its own page as well.
    let own = visitor.get(&format!("{PAGE}/streams/2")).await;
    assert!(own.main().contains("its end was not looked for"), "{}", own.main());
}
