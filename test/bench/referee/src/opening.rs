//! Opening many sessions.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::task::spawn_local;

use crate::call::Call;
use crate::mcp::Session;
use crate::target::Target;

/// What went wrong, and how often.
pub type Errors = BTreeMap<String, u64>;

/// More at once would measure the backlog of the listening socket.
const AT_ONCE: usize = 50;

/// Sessions that are being opened.
struct Opening {
    target: Target,
    /// What each session calls once when it is open.
    first: Option<Rc<Call>>,
    left: Cell<usize>,
    opened: RefCell<Vec<Session>>,
    errors: RefCell<Errors>,
}

/// Opens `count` sessions on a connection each; those that failed are missing in what it resolves with.
pub async fn open_all(target: Target, count: usize, first: Option<Rc<Call>>) -> (Vec<Session>, Errors) {
    let (left, opened, errors) = (Cell::new(count), RefCell::default(), RefCell::default());
    let opening = Rc::new(Opening {
        target,
        first,
        left,
        opened,
        errors,
    });
    let openers: Vec<_> = (0..AT_ONCE).map(|_| spawn_local(open_next(opening.clone()))).collect();
    for opener in openers {
        opener.await.expect("an opener does not panic");
    }
    (opening.opened.take(), opening.errors.take())
}

async fn open_next(opening: Rc<Opening>) {
    let count = |error: String| *opening.errors.borrow_mut().entry(error).or_default() += 1;
    let label = format!("open-{}", std::process::id());
    while opening.left.get() > 0 {
        let number = opening.left.replace(opening.left.get() - 1);
        match Session::open(&opening.target).await {
            Ok(mut session) => {
                if let Some(call) = &opening.first {
                    let answered = session.call(call, &format!("{label}-{number}")).await;
                    answered.unwrap_or_else(count);
                }
                opening.opened.borrow_mut().push(session);
            }
            Err(error) => count(error),
        }
    }
}
