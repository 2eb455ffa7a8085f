//! The lane that pays for a request, and the units that are set aside in it until the request is signed.

use super::RequestTry;
use crate::{ClientError, NodeInfo, StackHandle, store::LaneKey};
use atoma_types::RequestId;

/// Units of a request that isn't signed yet. They are free again if it never is, as where its caller leaves.
pub(super) struct Reserved<'a> {
    stack: &'a StackHandle,
    key: LaneKey,
    id: Option<RequestId>,
}

impl<'a> Reserved<'a> {
    pub(super) fn new(stack: &'a StackHandle, key: LaneKey, id: RequestId) -> Self {
        let id = Some(id);
        Self { stack, key, id }
    }

    /// Somebody else looks after them now.
    pub(super) fn passed_on(mut self) {
        self.id = None;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // the lane is there: it was reserved in
            let _ = self.stack.with_lane(self.key, |lane, _| lane.refuse(id));
        }
    }
}

impl StackHandle {
    /// The lane that a request goes in: the one that it names, or this program's own.
    pub(super) async fn lane_of(
        &self,
        info: &NodeInfo,
        request: &RequestTry,
    ) -> Result<LaneKey, ClientError> {
        let key = LaneKey {
            stack: self.id(),
            node: info.id,
            lane: request.lane.unwrap_or_else(|| self.own_lane(info.id)),
        };
        if request.lane.is_some() {
            self.take_lane(key).await?;
        }
        Ok(key)
    }
}
