//! What the hub does by itself as time passes: it fires deadlines, and numbers events.

use crate::agency::AgencyKind;
use crate::alarm::{Alarm, Ring};
use crate::error::{DatabaseError, Error};
use crate::hub::{Hub, Inner};
use crate::ids::AgencyId;
use crate::store::{Applied, Due, Hour, Write};
use std::sync::Weak;
use std::time::Duration;

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(1);
/// How many deadlines are taken at a time.
const TAKEN: u64 = 16;
/// How often a deadline is decided on whose child others change all the time.
const TRIES: usize = 16;
/// A deadline that is fired so much after its moment counts as late, in microseconds: a minute.
const LATE: i64 = 60_000_000;

impl Hub {
    /// Fires all deadlines that are due now, whichever node set them, and tells how many it were. A hub on the machine's clock
    /// does so each second by itself; one whose clock is set does it when it is told.
    ///
    /// # Errors
    ///
    /// The database cannot be reached. A deadline that cannot be fired is none: it is tried again, after growing pauses.
    pub async fn run_deadlines(&self) -> Result<u64, Error> {
        Ok(self.inner().run_deadlines().await?)
    }
}

/// What came of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Fired,
    /// What it watched for has happened.
    Moot,
    /// It is another node's now, or was fired, cancelled or set anew.
    Gone,
}

impl Inner {
    /// The time that deadlines go by: the database's, which all nodes share, unless the clock is set.
    async fn hour(&self) -> Result<Hour, DatabaseError> {
        let hour = self.store.hour(self.clock.is_set().then(|| self.clock.now())).await?;
        self.deadlines.due.set(u64::try_from(hour.due).unwrap_or(0));
        Ok(hour)
    }

    async fn run_deadlines(&self) -> Result<u64, DatabaseError> {
        let mut fired = 0;
        loop {
            let Hour { now, due } = self.hour().await?;
            if due == 0 {
                return Ok(fired);
            }
            let taken = self.store.claim_deadlines(now, TAKEN).await?;
            if taken.is_empty() {
                return Ok(fired);
            }
            for due in taken {
                match self.fire(&due, now).await {
                    Ok(Fate::Fired) => {
                        fired += 1;
                        self.deadlines.fired.add_one();
                        if now - due.due_at > LATE {
                            self.deadlines.late.add_one();
                        }
                    }
                    Ok(Fate::Moot) => self.store.drop_deadline(&due, now).await?,
                    Ok(Fate::Gone) => {}
                    Err(error) => {
                        tracing::warn!(%error, about = due.about, step = due.step, "a deadline could not be fired");
                        self.store.put_off(&due, now).await?;
                    }
                }
            }
        }
    }

    /// Fires a deadline: what happens, that it was fired, and the event are one change of the child. Whoever else fires it, or
    /// sets or cancels it, changes the child, too; so it is fired once.
    async fn fire(&self, due: &Due, now: i64) -> Result<Fate, Error> {
        // A newer node may have set it, and will fire it.
        let alarm = Alarm::of(&due.about, &due.step).ok_or_else(|| DatabaseError("an alarm is unknown".to_owned()))?;
        let _turn = self.turns.take(due.child).await?;
        for _ in 0..TRIES {
            let reader = self.store.snapshot().await?;
            let standing = reader.standing_of(due, alarm, now).await;
            reader.end();
            let Some(standing) = standing? else { return Ok(Fate::Gone) };
            let Some(ring) = alarm.ring(&standing.facts, |agency| self.county_board(agency)) else {
                return Ok(Fate::Moot);
            };
            let Ring { kind, to, marks_overdue } = ring;
            let mut write = Write::of(&self.store, due.child, standing.sequence, now);
            if marks_overdue {
                write.overdue(due.about_id, now);
            }
            write.fired(due, now);
            write.event(kind, crate::catalogue::FieldSet::EMPTY, Some(due.about_id), to);
            if write.apply(None).await? == Applied::Done {
                return Ok(Fate::Fired);
            }
        }
        Err(DatabaseError("the child is changed all the time".to_owned()).into())
    }

    /// The coordinator of the county that an agency is in.
    fn county_board(&self, agency: AgencyId) -> Option<AgencyId> {
        let agencies = self.agencies();
        let county = agencies.iter().find(|known| known.id == agency)?.county_code()?.to_owned();
        let is_board = |known: &&std::sync::Arc<crate::agency::Agency>| {
            known.kind == AgencyKind::CountyBoard && known.county_code() == Some(&county)
        };
        agencies.iter().find(is_board).map(|board| board.id)
    }
}

/// Keeps the time of a hub on the machine's clock.
pub(crate) async fn keep_time(hub: Weak<Inner>) {
    loop {
        tokio::time::sleep(TICK).await;
        let Some(hub) = hub.upgrade() else { return };
        if hub.clock.is_set() {
            return;
        }
        if let Err(error) = hub.run_deadlines().await {
            tracing::warn!(%error, "deadlines could not be looked at");
        }
        if let Err(error) = hub.store.number_events().await {
            tracing::warn!(%error, "events could not be numbered");
        }
    }
}
