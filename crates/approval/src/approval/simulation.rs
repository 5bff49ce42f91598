//! Approvers, callers and a process that crashes, on a clock that jumps: whatever the order, a call runs at most once, and only
//! if those who had to said yes.

use crate::testing::{self, demand, human};
use crate::{Approval, Asked, Bound, Changes, Subject, Transition, What};
use jiff::{SignedDuration, Timestamp};

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }
}

/// What survives a crash.
struct Disk {
    asked: Asked,
    /// As the store has them: each number once.
    stored: Vec<Transition>,
    /// As the ledger has them.
    ledger: Vec<Transition>,
}

impl Disk {
    fn approval(&self) -> Approval {
        let begun = Approval::new(self.asked.clone()).unwrap();
        self.stored.iter().fold(begun, |approval, step| approval.after(step).unwrap())
    }

    /// Whether nobody else had the number.
    fn insert(&mut self, step: &Transition) -> bool {
        let free = self.stored.iter().all(|other| other.number != step.number);
        if free {
            self.stored.push(step.clone());
        }
        free
    }

    /// What is stored and was not recorded is recorded when the process starts.
    fn recover(&mut self) {
        for step in &self.stored {
            if !self.ledger.contains(step) {
                self.ledger.push(step.clone());
            }
        }
    }
}

/// Somebody who wants one thing, as far as they have come. Between any two of these the process can crash.
enum Actor {
    Idle,
    Read(Approval),
    Stored(Transition, Approval),
    Recorded(Approval),
}

struct Role {
    wants: What,
    calls: bool,
}

/// The names of the changes that are asked about, where it is not one call.
const CHANGES: [&str; 2] = ["a", "b"];

fn roles(bound: &Bound) -> Vec<Role> {
    let yes = |subject: &str| testing::yes(human(subject, &["sre"]));
    let consume = |call: &str, change: &str| match &bound.subject {
        Subject::Changes(_) => {
            What::Consumed { call: call.into(), digest: testing::change(change).digest().to_string() }
        }
        _ => testing::used(bound, call),
    };
    let decides = |wants| Role { wants, calls: false };
    vec![
        decides(yes("grace")),
        decides(yes("alan")),
        decides(yes("grace")),
        // The delegator.
        decides(yes("ada")),
        decides(What::Refused { by: human("joan", &["sre"]), why: "no".into() }),
        decides(What::Expired),
        decides(What::Withdrawn { why: "the client left".into(), by: None }),
        Role { wants: consume("c-1", "a"), calls: true },
        Role { wants: consume("c-2", "a"), calls: true },
        Role { wants: consume("c-3", "b"), calls: true },
    ]
}

fn asked(rng: &mut Rng) -> Asked {
    let quorum = 1 + u32::try_from(rng.below(2)).unwrap();
    let members = CHANGES.map(testing::change).to_vec();
    let subject = match rng.below(2) {
        0 => Subject::Call(testing::call()),
        _ => Subject::Changes(Changes { members, reason: "roll out".into() }),
    };
    let asked = testing::asked_for("a-1", Timestamp::from_second(1_800_000_000).unwrap(), subject);
    let decide_by = asked.at + SignedDuration::from_mins(30);
    let delegator = "ADA".into();
    let bound = Bound { decide_by: decide_by.to_string(), delegator, ..asked.bound };
    Asked { decide_by, use_seconds: 600, demands: vec![demand("asks", &["sre"], quorum)], bound, ..asked }
}

/// One run; whether the call ran.
fn run(seed: u64) -> bool {
    let mut rng = Rng(seed);
    let asked = asked(&mut rng);
    let (mut now, quorum) = (asked.at, asked.demands[0].quorum);
    let roles = roles(&asked.bound);
    let mut disk = Disk { asked, stored: vec![], ledger: vec![] };
    let mut actors: Vec<Actor> = roles.iter().map(|_| Actor::Idle).collect();
    let mut ran = vec![];
    // Some runs have nobody who says no, or else few calls would ever run.
    let (crashes, calm) = (rng.below(3) == 0, rng.below(2) == 0);
    for _ in 0..120 {
        if rng.below(8) == 0 {
            let minutes = i64::try_from(rng.below(20)).unwrap() - 8;
            now += SignedDuration::from_mins(minutes);
        }
        if crashes && rng.below(12) == 0 {
            actors.iter_mut().for_each(|actor| *actor = Actor::Idle);
            disk.recover();
        }
        let who = usize::try_from(rng.below(roles.len() as u64)).unwrap();
        let Role { wants, calls } = &roles[who];
        if calm && matches!(wants, What::Refused { .. } | What::Withdrawn { .. }) {
            continue;
        }
        let actor = std::mem::replace(&mut actors[who], Actor::Idle);
        actors[who] = match actor {
            Actor::Idle => Actor::Read(disk.approval()),
            Actor::Read(approval) => match approval.next(wants.clone(), now) {
                Ok((step, next)) if disk.insert(&step) => Actor::Stored(step, next),
                Ok(_) | Err(_) => Actor::Idle,
            },
            Actor::Stored(step, next) => {
                disk.ledger.push(step);
                Actor::Recorded(next)
            }
            Actor::Recorded(next) => {
                if let (true, What::Consumed { call, .. }) = (calls, wants) {
                    let demands = &next.asked().demands;
                    assert!(next.consumed().is_some() || next.making(call, demands).is_some());
                    ran.push(call.clone());
                }
                Actor::Idle
            }
        };
    }
    check(&disk, &ran, quorum);
    !ran.is_empty()
}

fn check(disk: &Disk, ran: &[String], quorum: u32) {
    let approval = disk.approval();
    let ran_of = |calls: &[&str]| ran.iter().filter(|call| calls.contains(&call.as_str())).count();
    match approval.asked().bound.changes() {
        Some(_) => assert!(ran_of(&["c-1", "c-2"]) <= 1 && ran_of(&["c-3"]) <= 1, "ran as {ran:?}"),
        None => assert!(ran.len() <= 1, "ran as {ran:?}"),
    }
    for call in ran {
        let used =
            |step: &&Transition| matches!(&step.what, What::Consumed { call: used, .. } if used == call);
        assert_eq!(disk.stored.iter().filter(used).count(), 1);
        assert!(disk.ledger.iter().any(|step| used(&step)), "it ran before its leaf was there");
    }
    if !ran.is_empty() {
        let mut voters: Vec<_> = approval.votes().iter().map(|vote| &vote.by.subject).collect();
        voters.sort_unstable();
        voters.dedup();
        assert!(voters.len() >= quorum as usize);
        assert!(voters.iter().all(|voter| ["grace", "alan"].contains(&voter.as_str())));
    }
    assert!(disk.ledger.iter().all(|step| disk.stored.contains(step)));
}

#[test]
fn a_call_runs_at_most_once_and_only_approved() {
    let cases: u64 = std::env::var("PORTCULLIS_CASES").ok().map_or(3_000, |cases| cases.parse().unwrap());
    let ran = (0..cases).filter(|seed| run(*seed)).count() as u64;
    // A simulation in which nothing ever runs would prove nothing.
    assert!((cases / 10..cases).contains(&ran), "{ran} of {cases} calls ran");
}
