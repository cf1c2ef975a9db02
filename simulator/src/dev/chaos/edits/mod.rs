//! What people change by hand while Ringfence works, and what they put right again when they are told.
//!
//! Invariant: what the customer has is written down as it is after each edit, so that any other change of it shows.

mod access;
mod flows;
mod own;
mod queues;

use std::time::Duration;

use tokio::time::sleep;

use super::super::{DevError, Result};
use super::script::Edit;
use super::site::Site;

/// The customer's own requests meet the ordered faults as well.
const TRIES_MAX: u32 = 30;
const PAUSE: Duration = Duration::from_millis(50);

impl Site {
    /// Something is changed by hand; false where the moment forbids it. `held_path` is the request that is half-way.
    pub async fn edit(&mut self, edit: Edit, held_path: &str) -> Result<bool> {
        match edit {
            Edit::Repoint { queue, to } => self.repoint(queue, to, held_path).await,
            Edit::PointAtOurs { queue, place } => self.point_at_ours(queue, place, held_path).await,
            Edit::RenameQueue { queue } => self.edit_queue(queue, None, held_path).await,
            Edit::OpenQueue { whisper } => self.open_queue(whisper).await,
            Edit::CloseQueue { queue } => self.close_queue(queue).await,
            Edit::DeleteOurs(place) => self.delete_ours(place).await,
            Edit::RewriteOurs(place) => self.rewrite_ours(place).await,
            Edit::UntagOurs(place) => self.untag_ours(place).await,
            Edit::ArchiveOurs(place) => self.archive_ours(place).await,
            Edit::RenameOurs(place) => self.rename_ours(place).await,
            Edit::Draft(place) => self.draft(place).await,
            Edit::RewriteOwn(number) => self.edit_own(number).await,
            Edit::DeleteOwn(number) => self.delete_own(number).await,
            Edit::ArchiveOwn(number) => self.archive_own(number).await,
            Edit::BloatOwn(number) => self.bloat_own(number).await,
            Edit::RenameDefault => self.rename_default().await,
            Edit::TakePermission => self.take_permission().await,
            Edit::Squat(squatter) => self.squat(squatter).await,
        }
    }

    /// The customer does what the conditions ask for.
    pub async fn put_right(&mut self) -> Result<()> {
        self.make_way().await?;
        self.return_default_name().await
    }
}

/// Until it is done; `None`: what it is about is gone.
async fn insist<T, F>(attempt: impl Fn() -> F) -> Result<Option<T>>
where
    F: Future<Output = Result<T>>,
{
    let mut tries = 0;
    loop {
        tries += 1;
        match attempt().await {
            Err(err) if tries < TRIES_MAX && is_passing(&err) => sleep(PAUSE).await,
            Err(DevError::Refused { status: 404, .. }) => return Ok(None),
            done => return done.map(Some),
        }
    }
}

fn is_passing(err: &DevError) -> bool {
    match err {
        DevError::Refused { status, .. } => *status == 429 || *status >= 500,
        DevError::Unreachable { .. } => true,
        _ => false,
    }
}
