//! What rules compare names with, and names that tell every combination of such comparisons apart.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

/// Most states that are looked through for names; patterns that overlap in too many ways need more.
const MAX_STATES: usize = 5_000;
/// Most names to tell combinations apart by.
const MAX_WITNESSES: usize = 1000;

/// A string, or a `like` pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Glob(Vec<Part>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// `*`: any characters, or none.
    Any,
    One(char),
}

/// Positions in a [`Glob`] that may have been reached. Those before the last `*` reached are left out: whatever could
/// still match from there matches from that `*` too.
type Reached = Vec<usize>;

impl Glob {
    pub(crate) fn literal(text: &str) -> Self {
        Self(text.chars().map(Part::One).collect())
    }

    /// A pattern of Cedar's JSON form: `{"Literal": "a"}` and `"Wildcard"`.
    pub(crate) fn pattern(parts: &[Value]) -> Self {
        let mut glob = Self(Vec::new());
        for part in parts {
            match part.get("Literal").and_then(Value::as_str) {
                Some(text) => glob.0.extend(text.chars().map(Part::One)),
                None => glob.0.push(Part::Any),
            }
        }
        glob
    }

    /// As it is written, `*` for itself: a string that it matches.
    fn text(&self) -> String {
        self.0.iter().map(|part| if let Part::One(c) = part { *c } else { '*' }).collect()
    }

    fn is_literal(&self) -> bool {
        !self.0.contains(&Part::Any)
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.ends(&self.after(text))
    }

    /// Whether it matches any string that begins with `prefix`.
    pub(crate) fn can_begin_with(&self, prefix: &str) -> bool {
        !self.after(prefix).is_empty()
    }

    fn after(&self, text: &str) -> Reached {
        text.chars().fold(self.start(), |reached, c| self.step(&reached, c))
    }

    fn start(&self) -> Reached {
        let mut reached = Vec::new();
        self.reach(0, &mut reached);
        self.trim(reached)
    }

    fn step(&self, from: &Reached, c: char) -> Reached {
        let mut reached = Vec::new();
        for &position in from {
            match self.0.get(position) {
                Some(Part::Any) => self.reach(position, &mut reached),
                Some(Part::One(own)) if *own == c => self.reach(position + 1, &mut reached),
                Some(Part::One(_)) | None => {}
            }
        }
        self.trim(reached)
    }

    /// `position`, and what follows if a `*` there matches nothing.
    fn reach(&self, mut position: usize, into: &mut Reached) {
        into.push(position);
        while self.0.get(position) == Some(&Part::Any) {
            position += 1;
            into.push(position);
        }
    }

    fn trim(&self, mut reached: Reached) -> Reached {
        reached.sort_unstable();
        reached.dedup();
        let last = reached.iter().copied().filter(|at| self.0.get(*at) == Some(&Part::Any)).max();
        reached.retain(|at| last.is_none_or(|last| *at >= last));
        reached
    }

    fn ends(&self, reached: &Reached) -> bool {
        reached.contains(&self.0.len())
    }
}

/// Strings such that every string there is, but the empty one, is matched by exactly the same of `globs` as one of
/// these: judging these judges all. `other` is one that stands for strings that nothing singles out.
///
/// `None` where the patterns overlap in so many ways that there would be too many.
pub(crate) fn witnesses(globs: &BTreeSet<Glob>, other: &str) -> Option<BTreeSet<String>> {
    let search = Search::new(globs);
    let mut found: BTreeMap<Matched, String> = BTreeMap::new();
    for text in globs.iter().map(Glob::text).chain([other.to_owned()]).filter(|text| !text.is_empty()) {
        found.entry(search.matched(&search.after(&text))).or_insert(text);
    }
    // Strings alone need no search: each is itself, and all others are alike.
    if !search.patterns.is_empty() {
        search.run(&mut found)?;
    }
    (found.len() <= MAX_WITNESSES).then(|| found.into_values().collect())
}

/// Which patterns match a string, and which literal it is.
type Matched = (Vec<bool>, Option<String>);

/// Where a string leads in every pattern, and the string itself while a literal may begin with it.
type State = (Vec<Reached>, Option<String>);

struct Search<'a> {
    patterns: Vec<&'a Glob>,
    literals: BTreeSet<String>,
    /// Every character that matters, and one that does not.
    alphabet: BTreeSet<char>,
}

impl<'a> Search<'a> {
    fn new(globs: &'a BTreeSet<Glob>) -> Self {
        let mut alphabet: BTreeSet<char> =
            globs.iter().flat_map(|glob| glob.text().chars().collect::<Vec<_>>()).collect();
        let unused = ('a'..=char::MAX).find(|c| !alphabet.contains(c));
        alphabet.extend(unused);
        Self {
            patterns: globs.iter().filter(|glob| !glob.is_literal()).collect(),
            literals: globs.iter().filter(|glob| glob.is_literal()).map(Glob::text).collect(),
            alphabet,
        }
    }

    fn after(&self, text: &str) -> State {
        (self.patterns.iter().map(|glob| glob.after(text)).collect(), self.begun(text.to_owned()))
    }

    fn begun(&self, text: String) -> Option<String> {
        let next = self.literals.range(text.clone()..).next();
        next.is_some_and(|literal| literal.starts_with(&text)).then_some(text)
    }

    fn step(&self, (reached, begun): &State, c: char) -> State {
        let stepped =
            self.patterns.iter().zip(reached).map(|(glob, reached)| glob.step(reached, c)).collect();
        let longer = begun.as_ref().and_then(|begun| self.begun(format!("{begun}{c}")));
        (stepped, longer)
    }

    fn matched(&self, (reached, begun): &State) -> Matched {
        let matched = self.patterns.iter().zip(reached).map(|(glob, reached)| glob.ends(reached)).collect();
        (matched, begun.clone().filter(|text| self.literals.contains(text)))
    }

    /// Adds a shortest string for every combination that is not there yet.
    fn run(&self, found: &mut BTreeMap<Matched, String>) -> Option<()> {
        let start = self.after("");
        let mut seen = BTreeSet::from([start.clone()]);
        let mut queue = VecDeque::from([(start, String::new())]);
        while let Some((state, text)) = queue.pop_front() {
            for &c in &self.alphabet {
                let next = self.step(&state, c);
                if !seen.insert(next.clone()) {
                    continue;
                }
                if seen.len() > MAX_STATES || found.len() > MAX_WITNESSES {
                    return None;
                }
                let longer = format!("{text}{c}");
                found.entry(self.matched(&next)).or_insert_with(|| longer.clone());
                queue.push_back((next, longer));
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
