//! Looking things up. All texts may hold what agents wrote: whoever shows them escapes them.

use jiff::Timestamp;
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
        self.before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX)
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

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn time(row: &SqliteRow) -> Result<Timestamp, Error> {
    let time: i64 = row.try_get("time")?;
    Timestamp::from_microsecond(time).map_err(|error| Error::Sql(sqlx::Error::Decode(error.into())))
}
