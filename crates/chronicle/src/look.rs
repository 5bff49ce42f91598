//! Looking things up. All texts may hold what agents wrote: whoever shows them escapes them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::leaf::Digest;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Chronicle, Error};

/// A call, as far as it was told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The leaf that told of it first.
    pub leaf: u64,
    /// Its id.
    pub call: String,
    /// When it came.
    pub time: Timestamp,
    /// Its session; none if it was refused before anybody knew whose it was.
    pub session: Option<String>,
    /// Its agent.
    pub agent: Option<String>,
    /// For whom that runs.
    pub delegator: Option<String>,
    /// The cluster.
    pub cluster: Option<String>,
    /// What was asked, as one would type it.
    pub asked: String,
    /// `open`, `completed`, `failed`, `denied`, `cut`; `refused`, `answered`.
    pub state: String,
    /// The rules that decided.
    pub rules: String,
    /// The HTTP status that its client was given.
    pub status: Option<u16>,
    /// Why it was refused, or what ended it.
    pub message: Option<String>,
    /// From its head to its end, in microseconds.
    pub duration_us: Option<u64>,
    /// Values masked in its answer.
    pub masked: u64,
    /// The approval that was used for it.
    pub approval: Option<String>,
    /// Whether the gate itself asked it, for another call.
    pub look: bool,
}

/// Something else that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Its leaf.
    pub leaf: u64,
    /// When.
    pub time: Timestamp,
    /// The leaf's kind.
    pub kind: String,
    /// In words.
    pub told: String,
}

/// What is searched for among calls. What is empty is anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Part of the agent's name.
    pub agent: String,
    /// Part of the name of the human for whom it runs.
    pub human: String,
    /// The verb, whole.
    pub verb: String,
    /// Part of what is asked: a resource, a name, a namespace.
    pub object: String,
}

/// What a search found, and how far it looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The calls.
    pub calls: Vec<Call>,
    /// The leaf before which nothing was looked at, if it stopped there.
    pub stopped_at: Option<u64>,
}

/// Leaves that one search looks at.
const LOOKED_AT: u64 = 1_000_000;

/// Which of many: newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only leaves before this one.
    pub before: Option<u64>,
    /// So many at most.
    pub most: u32,
}

impl Chronicle {
    /// The calls of a session.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn calls_of(&self, session: &str, page: Page) -> Result<Vec<Call>, Error> {
        let query = "SELECT * FROM calls WHERE session = ?1 AND leaf < ?2 ORDER BY leaf DESC LIMIT ?3";
        let query = sqlx::query(query).bind(session).bind(page.below()).bind(page.most);
        query.fetch_all(&self.pool).await?.iter().map(Call::from_row).collect()
    }

    /// So many of the calls that were sent by an approval, and how many there are. Those that only read come last, so that no number of
    /// them hides another.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn calls_by(&self, approval: &str, most: u32) -> Result<(Vec<Call>, u64), Error> {
        let query = "SELECT *, count(*) OVER () AS found FROM calls WHERE approval = ?1
                     ORDER BY asked LIKE 'get %' OR asked LIKE 'list %' OR asked LIKE 'watch %', leaf DESC LIMIT ?2";
        let rows = sqlx::query(query).bind(approval).bind(most).fetch_all(&self.pool).await?;
        let found = rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>("found"))?;
        let calls = rows.iter().map(Call::from_row).collect::<Result<_, _>>()?;
        Ok((calls, u64::try_from(found).unwrap_or_default()))
    }

    /// A call of a session; of one that was judged again, the last.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn call(&self, session: &str, call: &str) -> Result<Option<Call>, Error> {
        let query = "SELECT * FROM calls WHERE session = ?1 AND call = ?2 ORDER BY leaf DESC LIMIT 1";
        let row = sqlx::query(query).bind(session).bind(call).fetch_optional(&self.pool).await?;
        row.as_ref().map(Call::from_row).transpose()
    }

    /// Calls of any session, newest first. A search looks at a million leaves, and says where it stopped.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn search(&self, wanted: &Search, page: Page) -> Result<Found, Error> {
        let query = "SELECT * FROM calls WHERE leaf < ?1 AND leaf >= ?2
                     AND (?3 = '' OR instr(lower(agent), lower(?3)) > 0)
                     AND (?4 = '' OR instr(lower(delegator), lower(?4)) > 0)
                     AND (?5 = '' OR substr(asked, 1, length(?5) + 1) = lower(?5) || ' ')
                     AND (?6 = '' OR instr(lower(substr(asked, instr(asked, ' '))), lower(?6)) > 0)
                     ORDER BY leaf DESC LIMIT ?7";
        let before = page.before.unwrap_or(u64::MAX).min(self.leaves().await?);
        let from = before.saturating_sub(LOOKED_AT);
        let Search { agent, human, verb, object } = wanted;
        let query = sqlx::query(query).bind(signed(before)).bind(signed(from));
        let query = query.bind(agent).bind(human).bind(verb).bind(object).bind(page.most);
        let rows = query.fetch_all(&self.pool).await?;
        let calls = rows.iter().map(Call::from_row).collect::<Result<Vec<_>, _>>()?;
        let full = calls.len() >= usize::try_from(page.most).unwrap_or(usize::MAX);
        Ok(Found { stopped_at: (!full && from > 0).then_some(from), calls })
    }

    /// When a leaf about a session, or one of its calls, was recorded.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn time_of(&self, leaf: u64) -> Result<Option<Timestamp>, Error> {
        let query =
            "SELECT time FROM calls WHERE leaf = ?1 UNION ALL SELECT time FROM happenings WHERE leaf = ?1";
        let row = sqlx::query(query).bind(signed(leaf)).fetch_optional(&self.pool).await?;
        row.as_ref().map(time).transpose()
    }

    /// The segments of a session's recording that the ledger has, by their numbers: what their files have to be.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn segments_of(&self, session: &str) -> Result<BTreeMap<u64, Digest>, Error> {
        let query = sqlx::query("SELECT segment, sha256 FROM segments WHERE session = ?1").bind(session);
        let segment = |row: &SqliteRow| {
            let sha256: Vec<u8> = row.try_get("sha256")?;
            let sha256 = sha256.try_into().map_err(|_| sqlx::Error::Decode("not a digest".into()))?;
            Ok((unsigned(row.try_get("segment")?), Digest(sha256)))
        };
        query.fetch_all(&self.pool).await?.iter().map(segment).collect()
    }

    /// The number of the last of them; 0: there is none.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn last_segment_of(&self, session: &str) -> Result<u64, Error> {
        let query = "SELECT coalesce(max(segment), 0) FROM segments WHERE session = ?1";
        Ok(unsigned(sqlx::query_scalar(query).bind(session).fetch_one(&self.pool).await?))
    }

    /// What was refused.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn refusals(&self, page: Page) -> Result<Vec<Call>, Error> {
        let query = "SELECT * FROM calls WHERE state = 'refused' AND leaf < ?1 ORDER BY leaf DESC LIMIT ?2";
        let query = sqlx::query(query).bind(page.below()).bind(page.most);
        query.fetch_all(&self.pool).await?.iter().map(Call::from_row).collect()
    }

    /// What happened to a session beside its calls.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn happenings_of(&self, session: &str, page: Page) -> Result<Vec<Happening>, Error> {
        let query = "SELECT * FROM happenings WHERE session = ?1 AND leaf < ?2 ORDER BY leaf DESC LIMIT ?3";
        let query = sqlx::query(query).bind(session).bind(page.below()).bind(page.most);
        query.fetch_all(&self.pool).await?.iter().map(Happening::from_row).collect()
    }

    /// What happened of one kind, as `policy_loaded`.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn happenings(&self, kind: &str, page: Page) -> Result<Vec<Happening>, Error> {
        let query = "SELECT * FROM happenings WHERE kind = ?1 AND leaf < ?2 ORDER BY leaf DESC LIMIT ?3";
        let query = sqlx::query(query).bind(kind).bind(page.below()).bind(page.most);
        query.fetch_all(&self.pool).await?.iter().map(Happening::from_row).collect()
    }
}

impl Page {
    /// The newest.
    #[must_use]
    pub fn newest(most: u32) -> Self {
        Self { before: None, most }
    }

    fn below(self) -> i64 {
        self.before.map_or(i64::MAX, signed)
    }
}

impl Call {
    fn from_row(row: &SqliteRow) -> Result<Self, Error> {
        let number = |column| Ok::<_, Error>(row.try_get::<Option<i64>, _>(column)?.map(unsigned));
        Ok(Self {
            leaf: unsigned(row.try_get("leaf")?),
            call: row.try_get("call")?,
            time: time(row)?,
            session: row.try_get("session")?,
            agent: row.try_get("agent")?,
            delegator: row.try_get("delegator")?,
            cluster: row.try_get("cluster")?,
            asked: row.try_get("asked")?,
            state: row.try_get("state")?,
            rules: row.try_get("rules")?,
            status: number("status")?.and_then(|status| u16::try_from(status).ok()),
            message: row.try_get("message")?,
            duration_us: number("duration_us")?,
            masked: number("masked")?.unwrap_or(0),
            approval: row.try_get("approval")?,
            look: row.try_get("look")?,
        })
    }
}

impl Happening {
    fn from_row(row: &SqliteRow) -> Result<Self, Error> {
        Ok(Self {
            leaf: unsigned(row.try_get("leaf")?),
            time: time(row)?,
            kind: row.try_get("kind")?,
            told: row.try_get("told")?,
        })
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn time(row: &SqliteRow) -> Result<Timestamp, Error> {
    let time: i64 = row.try_get("time")?;
    Timestamp::from_microsecond(time).map_err(|error| Error::Sql(sqlx::Error::Decode(error.into())))
}
