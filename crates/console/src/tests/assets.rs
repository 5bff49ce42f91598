//! The files that pages use: whole, there, and what was published.

use sha2::{Digest as _, Sha256};

use super::bench::{Bench, SESSION, grace};
use super::replay;
use crate::assets;

/// The SHA-256 of `dist/htmx.min.js` in htmx.org 2.0.11, of `dist/sse.min.js` in htmx-ext-sse 2.2.4, and of two files in `dist/bundle` of
/// asciinema-player 3.18.0, as npm has them.
const PUBLISHED: [(&str, &str); 4] = [
    ("htmx.min.js", "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"),
    ("sse.min.js", "98a46496de0c3605fbffdce9167ba427bdd9553184f83f149c261891a92c0136"),
    ("asciinema-player.min.js", "752c9b528b664f5b16f27c68ba22fc7973d1d6063a1c3e4795a4c8015943acf6"),
    ("asciinema-player.css", "981fe7bc6042048b2a373b6da297f747e324e90a8b6264e833e3a92cec22dfb9"),
];

#[tokio::test]
async fn files_of_others_are_what_they_published() {
    let bench = Bench::new().await;
    for (name, digest) in PUBLISHED {
        let path = format!("/assets/{}/{name}", assets::version());
        let file = bench.browser().get(&path).await;
        let found: String = Sha256::digest(&file.html).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, digest, "{name}");
    }
}

#[tokio::test]
async fn every_file_that_a_page_names_is_there_for_good() {
    let bench = replay::whole().await;
    let (visitor, nobody) = (bench.sign_in(&grace()).await, bench.browser());
    bench.close_ledger().await;
    let stream = format!("/sessions/{SESSION}/streams/1");
    let mut told = Vec::new();
    for page in [
        visitor.get("/").await,
        visitor.get(&stream).await,
        nobody.get("/sign-in").await,
        nobody.get("/nothing").await,
    ] {
        let named = page.attributes("src").into_iter().chain(page.attributes("href"));
        for path in named.filter(|path| path.starts_with("/assets/")) {
            let file = nobody.get(&path).await;
            assert!(file.status == 200 && !file.html.is_empty(), "{path}");
            let name = path.rsplit('/').next().unwrap();
            told.push(format!("{name}: {}, {}", file.header("content-type"), file.header("cache-control")));
            // Of another release.
            let version = path.split('/').nth(2).unwrap();
            let other = nobody.get(&path.replace(version, "0000000000000000")).await;
            assert_eq!((other.status.as_u16(), other.header("cache-control")), (404, "no-store"));
        }
    }
    told.sort_unstable();
    told.dedup();
    insta::assert_snapshot!(told.join("\n"));
}
