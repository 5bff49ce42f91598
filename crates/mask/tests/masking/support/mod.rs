//! What the tests share: seeded documents that know how they must look when masked.

pub(crate) mod generate;

use std::sync::LazyLock;

use bytes::Bytes;
use mask::{Catalogue, CustomPlace, Framing, Malformed, Masker, Rules};

/// Whose places a document is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Places {
    Nowhere,
    /// Those of a resource, with its group and subresource.
    Of(&'static str, &'static str, Option<&'static str>),
}

impl Places {
    #[expect(non_upper_case_globals, reason = "reads like the other places")]
    pub(crate) const Secrets: Self = Self::Of("", "secrets", None);
    #[expect(non_upper_case_globals, reason = "reads like the other places")]
    pub(crate) const Pods: Self = Self::Of("", "pods", None);

    pub(crate) fn rules(self) -> Rules {
        match self {
            Self::Nowhere => Rules::nowhere(),
            Self::Of(group, resource, subresource) => catalogue().rules_for(group, resource, subresource),
        }
    }
}

/// What ships with the gate, and the places of widgets and gadgets, which are of some custom kind.
pub(crate) fn catalogue() -> Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        let widgets = ["spec.users[].token", "spec.pins[]", "spec.logins.*", "spec.*.key", "spec.a.b"];
        // They cross what holds anywhere: variables, objects that say they are Secrets, and keys in any case.
        let gadgets = [
            "spec.logins.*.password",
            "spec.env[].note",
            "spec.Auth.token",
            "spec.auth.password",
            "spec.manifest.metadata.owner",
            "metadata.annotations[\"x-last-applied\"].inner",
        ];
        let place =
            |resource: &str, path: &&str| CustomPlace { resource: resource.into(), path: (*path).into() };
        let widgets = widgets.iter().map(|path| place("widgets.example.com", path));
        let gadgets = gadgets.iter().map(|path| place("gadgets.example.com", path));
        Catalogue::builtin().with(&widgets.chain(gadgets).collect::<Vec<_>>()).unwrap()
    });
    CATALOGUE.clone()
}

/// SplitMix64: small, seeded, the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Cases and first seed: few and fixed, unless the environment asks for more.
pub(crate) fn cases(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("PORTCULLIS_SEED").unwrap_or(0);
    first..first + number("PORTCULLIS_CASES").unwrap_or(default)
}

/// The whole of `input` masked in chunks as long as `chunk` says.
pub(crate) fn mask_in(
    framing: Framing,
    places: Places,
    input: &[u8],
    mut chunk: impl FnMut() -> usize,
) -> Result<Vec<u8>, Malformed> {
    let mut masker = Masker::new(framing, &places.rules());
    let mut rest = Bytes::copy_from_slice(input);
    let mut out = Vec::new();
    while !rest.is_empty() {
        let piece = rest.split_to(chunk().clamp(1, rest.len()));
        out.extend_from_slice(&masker.push(piece)?);
    }
    masker.finish()?;
    Ok(out)
}

/// The whole of `input` masked as one chunk.
pub(crate) fn mask(framing: Framing, places: Places, input: &[u8]) -> Result<Vec<u8>, Malformed> {
    mask_in(framing, places, input, || usize::MAX)
}

/// Masked as the only document of an answer about Secrets.
pub(crate) fn mask_secret(input: &str) -> Result<String, Malformed> {
    mask(Framing::One, Places::Secrets, input.as_bytes()).map(|out| String::from_utf8(out).unwrap())
}
