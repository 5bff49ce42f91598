//! More than anybody reads: what is folded is said, and pages stay of a size.

use serde_json::{Value, json};

use crate::tests::bench::{Ask, Bench, ask, grace};
use crate::tests::seen::Seen;

/// A page of an approval, without what it shows of a change: a generous bound.
const FRAME: usize = 64 << 10;
/// Around each line of a change.
const LINE: usize = 160;

async fn pages(before: Value, after: Value) -> (Seen, Seen) {
    let bench = Bench::new().await;
    let harmless = ask("a-1");
    let shown = vec![approval::Shown { before, after, ..harmless.shown[0].clone() }];
    bench.ask(Ask { shown, ..harmless }).await.unwrap();
    let visitor = bench.sign_in(&grace()).await;
    (visitor.get("/").await, visitor.get("/approvals/a-1").await)
}

fn lines(line: impl Fn(usize) -> String) -> Value {
    let text: Vec<String> = (0..10_000).map(line).collect();
    json!({"kind": "ConfigMap", "data": {"text": text}})
}

/// What is said of lines that are not shown at once.
fn folds(page: &Seen) -> Vec<String> {
    page.html.split("<summary>").skip(1).map(|part| part.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_stays_as_it_is_is_folded_and_counted() {
    let line = |changed: usize| {
        move |at: usize| if at == changed { "changed".to_owned() } else { format!("line {at}") }
    };
    let (_, page) = pages(lines(line(5_000)), lines(line(7_000))).await;
    insta::assert_snapshot!(folds(&page).join("\n"));
    assert!(page.html.len() < FRAME + 10_005 * LINE, "{}", page.html.len());
}

#[tokio::test]
async fn of_a_long_change_the_first_lines_are_shown_and_the_others_counted() {
    let (inbox, page) = pages(lines(|at| format!("old {at}")), lines(|at| format!("new {at}"))).await;
    insta::assert_snapshot!(folds(&page).join("\n"));
    let shown = page.html.split("<summary>").next().unwrap();
    assert_eq!(shown.matches("<div class=\"line ").count(), 400);
    assert!(page.html.len() < FRAME + 20_003 * LINE, "{}", page.html.len());
    assert!(inbox.html.len() < FRAME);
}

/// The gate asks nobody about so much; what it keeps, it shows.
#[tokio::test]
async fn an_annotation_of_a_megabyte_is_shown_whole_and_not_in_the_inbox() {
    let note = "<\u{202e}".repeat(1 << 18);
    let object = json!({"kind": "ConfigMap", "metadata": {"annotations": {"note": note}}});
    let (inbox, page) = pages(Value::Null, object).await;
    assert_eq!(page.html.matches("&#60;\\u202e").count(), 1 << 18);
    assert!(page.html.len() < FRAME + note.len() * 3, "{}", page.html.len());
    assert!(inbox.html.len() < FRAME);
}

#[tokio::test]
async fn a_word_without_an_end_is_shown_whole() {
    let word = "w".repeat(100_000);
    let (_, page) = pages(Value::Null, json!({"kind": word})).await;
    assert!(page.main().contains(&word));
}

#[tokio::test]
async fn the_inbox_has_pages() {
    let bench = Bench::new().await;
    for number in 0..205 {
        bench.ask(ask(&format!("a-{number}"))).await.unwrap();
    }
    let visitor = bench.sign_in(&grace()).await;
    let mut told = Vec::new();
    for page in ["/", "/?page=1", "/?page=2", "/inbox?page=2"] {
        let seen = visitor.get(page).await;
        let ways = seen.attributes("href").into_iter().filter(|to| to.starts_with("/?page"));
        let cards = seen.html.matches("data-row").count();
        let said: Vec<_> =
            seen.main().lines().filter(|line| line.contains("these")).map(str::to_owned).collect();
        told.push(format!("{page}: {cards} {said:?} {:?}", ways.collect::<Vec<_>>()));
    }
    insta::assert_snapshot!(told.join("\n"));
}
