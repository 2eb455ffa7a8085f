//! Answers that come later than anybody waits. Whoever gave up waiting has left, and pays for what was computed; but a node
//! that lets everybody wait would be paid so for what it never computed. So the answer is read on, by nobody:
//!
//! ```text
//! a stream has begun, or the answer is here whole    it came late, and its user has left it
//! it breaks off, or isn't here after LATE            it never came
//! ```

use super::body::AnswerBody;
use futures::StreamExt;
use std::time::Duration;
use tokio::time::timeout;

/// So long after its time an answer may come: a node that has taken on ten minutes' work more than it can do has itself to
/// blame.
pub(crate) const LATE: Duration = Duration::from_secs(600);

impl AnswerBody {
    /// Whoever waited for more of it has lost patience, and has left it: it is read on, by nobody, so that a node that lets
    /// everybody wait gains nothing by it.
    pub fn gave_up_waiting(self) {
        if let Some(place) = self.place_among_late()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                read_on(self).await;
                drop(place);
            });
        }
    }
}

/// Reads an answer on that nobody waits for any more.
pub(crate) async fn read_on(mut body: AnswerBody) {
    let arrives = async {
        while let Some(Ok(_)) = body.next().await {
            if body.has_begun() {
                break;
            }
        }
    };
    if timeout(LATE, arrives).await.is_err() {
        body.never_came();
    }
}
