//! What is done together on PostgreSQL, in one statement: what comes while others are under way waits for more of its kind.
//!
//! The first waits for nothing. Another statement costs as much as several parts more in the next one; so it is begun once
//! so many wait, or once one of them has waited long, since a statement may be held up by a locked row.

use super::reading::Connections;
use crate::error::DatabaseError;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How many may wait; the next is refused.
const QUEUE: usize = 4_096;
/// How many one statement takes at most.
const GROUP: usize = 64;
/// How many parts more in one statement cost about what another statement does.
const WORTH: usize = 5;
/// How long a part waits for those under way while a connection is free.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// What one statement can do with others of its kind.
pub(super) trait Part: Sized + Send + 'static {
    type Done: Send + 'static;

    /// Whether it can be done in one statement with the first of these, and beside all of them.
    fn goes_with(&self, group: &[Waiting<Self>]) -> bool;

    /// Does all of a group, and answers each.
    fn make(group: Vec<Waiting<Self>>, connections: Connections) -> impl Future<Output = ()> + Send;
}

/// A part, and whoever waits for it.
pub(super) struct Waiting<P: Part> {
    pub(super) part: P,
    reply: oneshot::Sender<Result<P::Done, DatabaseError>>,
}

impl<P: Part> Waiting<P> {
    /// Whether somebody still waits for it.
    pub(super) fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }

    pub(super) fn answer(self, done: Result<P::Done, DatabaseError>) {
        // Who does not wait any more does not need to know.
        _ = self.reply.send(done);
    }
}

/// The door to what is done together.
pub(super) struct Together<P: Part> {
    queue: Arc<Mutex<Queue<P>>>,
    connections: Connections,
}

struct Queue<P: Part> {
    waiting: VecDeque<Waiting<P>>,
    under_way: usize,
}

impl<P: Part> Clone for Together<P> {
    fn clone(&self) -> Self {
        Together { queue: self.queue.clone(), connections: self.connections.clone() }
    }
}

impl<P: Part> Together<P> {
    /// Over these connections: as many statements are under way at once.
    pub(super) fn new(connections: Connections) -> Self {
        let queue = Queue { waiting: VecDeque::new(), under_way: 0 };
        Together { queue: Arc::new(Mutex::new(queue)), connections }
    }

    pub(super) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Does a part, with others or alone. It is done even if nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// The database failed, or too many wait.
    pub(super) async fn make(&self, part: P) -> Result<P::Done, DatabaseError> {
        let (reply, mut done) = oneshot::channel();
        self.queue().push(Waiting { part, reply })?;
        self.begin(false);
        loop {
            match tokio::time::timeout(LONGEST_WAIT, &mut done).await {
                Ok(done) => return done.unwrap_or_else(|_| Err(DatabaseError("a statement was given up".to_owned()))),
                Err(_) => self.begin(true),
            }
        }
    }

    /// Begins what is worth a statement; with one that has waited long, the next is.
    fn begin(&self, mut is_late: bool) {
        let most = self.connections.most();
        loop {
            let Some(group) = self.queue().next(most, std::mem::take(&mut is_late)) else { return };
            let all = self.clone();
            tokio::spawn(async move {
                let under_way = UnderWay(&all);
                P::make(group, all.connections.clone()).await;
                drop(under_way);
                all.begin(false);
            });
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<P>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A statement that is under way, until it ends in whatever way.
struct UnderWay<'a, P: Part>(&'a Together<P>);

impl<P: Part> Drop for UnderWay<'_, P> {
    fn drop(&mut self) {
        self.0.queue().under_way -= 1;
    }
}

impl<P: Part> Queue<P> {
    fn push(&mut self, waiting: Waiting<P>) -> Result<(), DatabaseError> {
        if self.waiting.len() >= QUEUE {
            return Err(DatabaseError("too many wait for the database".to_owned()));
        }
        self.waiting.push_back(waiting);
        Ok(())
    }

    /// What the next statement is to do, if one is to be begun; it counts as under way.
    fn next(&mut self, most: usize, is_late: bool) -> Option<Vec<Waiting<P>>> {
        let is_worth_it = self.waiting.len() > self.under_way * WORTH || (is_late && !self.waiting.is_empty());
        (self.under_way < most && is_worth_it).then(|| {
            self.under_way += 1;
            self.group()
        })
    }

    /// The first that waits, and what goes with it. The others wait on, in their order.
    fn group(&mut self) -> Vec<Waiting<P>> {
        let mut group: Vec<Waiting<P>> = Vec::new();
        let mut others = VecDeque::new();
        for waiting in self.waiting.drain(..) {
            if group.is_empty() || (group.len() < GROUP && waiting.part.goes_with(&group)) {
                group.push(waiting);
            } else {
                others.push_back(waiting);
            }
        }
        self.waiting = others;
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part of a kind, which a group holds once of each number.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Numbered(char, u32);

    impl Part for Numbered {
        type Done = ();

        fn goes_with(&self, group: &[Waiting<Self>]) -> bool {
            group.iter().all(|Waiting { part, .. }| part.0 == self.0 && part.1 != self.1)
        }

        async fn make(group: Vec<Waiting<Self>>, _: Connections) {
            group.into_iter().for_each(|waiting| waiting.answer(Ok(())));
        }
    }

    fn queue(parts: impl IntoIterator<Item = Numbered>) -> Queue<Numbered> {
        let mut queue = Queue { waiting: VecDeque::new(), under_way: 0 };
        for part in parts {
            let waiting = Waiting { part, reply: oneshot::channel().0 };
            queue.push(waiting).expect("there is room");
        }
        queue
    }

    fn parts(group: Vec<Waiting<Numbered>>) -> Vec<Numbered> {
        group.into_iter().map(|waiting| waiting.part).collect()
    }

    #[test]
    fn a_group_is_of_what_goes_with_the_first_and_the_rest_waits_in_turn() {
        let [a3, a1, b2, a2] = [Numbered('a', 3), Numbered('a', 1), Numbered('b', 2), Numbered('a', 2)];
        let mut queue = queue([a3, a1, b2, a3, a2]);
        assert_eq!(parts(queue.group()), [a3, a1, a2]);
        assert_eq!(parts(queue.group()), [b2]);
        assert_eq!(parts(queue.group()), [a3]);
        assert!(queue.waiting.is_empty());
    }

    #[test]
    fn the_first_waits_for_nothing_and_others_for_one_another_until_they_are_late() {
        let waiting = |count: usize| queue((0..).map(|number| Numbered('a', number)).take(count));
        let begins = |count: usize, under_way: usize, is_late: bool| {
            let mut queue = waiting(count);
            queue.under_way = under_way;
            queue.next(2, is_late).is_some()
        };
        assert!(!begins(0, 0, true) && begins(1, 0, false));
        assert!(!begins(WORTH, 1, false) && begins(WORTH + 1, 1, false) && begins(1, 1, true));
        assert!(!begins(100, 2, true), "no more statements than connections");
    }

    #[test]
    fn a_group_and_the_queue_have_an_end() {
        let mut queue = queue((0..).map(|number| Numbered('a', number)).take(QUEUE));
        assert!(queue.push(Waiting { part: Numbered('b', 0), reply: oneshot::channel().0 }).is_err());
        assert_eq!((queue.group().len(), queue.waiting.len()), (GROUP, QUEUE - GROUP));
    }
}
