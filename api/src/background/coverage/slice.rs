//! A slice of one reading: what of Amazon Connect it asks, and what it keeps of the answers.

use jiff::Timestamp;

use crate::app::coverage::{Installed, ahead};
use crate::aws::{AwsError, AwsErrorKind, ConnectInstance, SdkConnectInstance};
use crate::background::installation::execute::StepError;
use crate::domain::coverage::ProfileAnswer;
use crate::store::{LeasedReading, TenantTx};

use super::CoverageReader;

/// What is read before others have their turn.
const SLICE: usize = 25;

/// Where a slice has left a reading.
pub(super) enum Slice {
    Paused,
    Whole,
}

/// What a slice of one reading looks through.
pub(super) struct Eyes<'a> {
    pub(super) reader: &'a CoverageReader,
    pub(super) leased: &'a LeasedReading,
    pub(super) connect: &'a SdkConnectInstance,
    /// Permissions that this reading lacked so far; it does not ask for them again.
    pub(super) refused: Vec<String>,
}

impl Eyes<'_> {
    /// Which profiles and queues there are; a list that is refused leaves what was known.
    pub(super) async fn list(&mut self) -> Result<(), StepError> {
        let profiles = self.connect.routing_profiles().await;
        let profiles = self.unless_refused(profiles).await?;
        let queues = self.connect.queues().await;
        let queues = self.unless_refused(queues).await?;
        let mut tx = self.held().await?;
        let instance = self.leased.instance;
        if let Some(profiles) = profiles {
            let profiles = profiles.into_iter();
            let profiles = profiles.map(|profile| (profile.id, profile.name)).unzip();
            tx.coverage_profiles_listed(instance, profiles).await?;
        }
        if let Some(queues) = queues {
            let queues = queues.into_iter().map(|queue| (queue.id, queue.name));
            tx.coverage_queues_listed(instance, queues.unzip()).await?;
        }
        tx.coverage_listed(instance, self.now()).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn read_slice(&mut self, began_at: Timestamp) -> Result<Slice, StepError> {
        let mut left = SLICE;
        loop {
            let mut tx = self.held().await?;
            let profiles = tx.coverage_profiles(self.leased.instance).await?;
            let queues = tx.coverage_queues(self.leased.instance).await?;
            let installed = Installed::load(&mut tx, self.leased.instance).await?;
            tx.commit().await?;
            let ahead = ahead(began_at, &profiles, &queues, &installed, &self.refused);
            if ahead.requests() == 0 {
                return Ok(Slice::Whole);
            }
            if left == 0 {
                return Ok(Slice::Paused);
            }
            // Which queues can be dialled from is known once all profiles are.
            let by_profile = ahead.profiles.iter().take(left);
            let count = by_profile.len();
            for profile_id in by_profile {
                self.read_profile(profile_id).await?;
            }
            left -= count;
            if !ahead.profiles.is_empty() {
                continue;
            }
            let by_queue = ahead.queues.iter().take(left);
            let count = by_queue.len();
            for queue_id in by_queue {
                self.read_queue(queue_id).await?;
            }
            left -= count;
        }
    }

    async fn read_profile(&mut self, profile_id: &str) -> Result<(), StepError> {
        let default = match self.may("connect:DescribeRoutingProfile") {
            false => Ok(None),
            true => self
                .connect
                .default_outbound_queue(profile_id)
                .await
                .map(Some),
        };
        let default_queue_id = match self.unless_refused(default).await {
            Err(StepError::Aws(err)) if err.kind == AwsErrorKind::NotFound => {
                let mut tx = self.held().await?;
                tx.coverage_profile_gone(self.leased.instance, profile_id)
                    .await?;
                return Ok(tx.commit().await?);
            }
            default => default?.flatten(),
        };
        let queues = match self.may("connect:ListRoutingProfileQueues") {
            false => Ok(None),
            true => self
                .connect
                .routing_profile_queues(profile_id)
                .await
                .map(Some),
        };
        let queue_ids = match self.unless_refused(queues).await {
            // It went between the two requests.
            Err(StepError::Aws(err)) if err.kind == AwsErrorKind::NotFound => Some(Vec::new()),
            queues => queues?.flatten(),
        };
        let answered = ProfileAnswer {
            default_queue_id,
            queue_ids,
        };
        let mut tx = self.held().await?;
        tx.coverage_profile_read(self.leased.instance, profile_id, &answered, self.now())
            .await?;
        Ok(tx.commit().await?)
    }

    async fn read_queue(&mut self, queue_id: &str) -> Result<(), StepError> {
        if !self.may("connect:DescribeQueue") {
            return Ok(());
        }
        let queue = self.connect.queue(queue_id).await;
        let queue = self.unless_refused(queue).await;
        let mut tx = self.held().await?;
        match queue {
            Err(StepError::Aws(err)) if err.kind == AwsErrorKind::NotFound => {
                tx.coverage_queue_gone(self.leased.instance, queue_id)
                    .await?;
            }
            queue => {
                let Some(queue) = queue? else { return Ok(()) };
                let whisper = queue.outbound.flow_id;
                tx.coverage_queue_read(
                    self.leased.instance,
                    queue_id,
                    whisper.as_deref(),
                    self.now(),
                )
                .await?;
            }
        }
        Ok(tx.commit().await?)
    }

    fn may(&self, permission: &str) -> bool {
        !self.refused.iter().any(|refused| refused == permission)
    }

    /// Notes a permission that is missing; any other failure ends the slice.
    async fn unless_refused<T>(
        &mut self,
        answer: Result<T, AwsError>,
    ) -> Result<Option<T>, StepError> {
        match answer {
            Ok(value) => Ok(Some(value)),
            Err(err) if err.kind == AwsErrorKind::AccessDenied => {
                let mut tx = self.held().await?;
                tx.coverage_refused(self.leased.instance, err.action)
                    .await?;
                tx.commit().await?;
                self.refused.push(err.action.to_owned());
                Ok(None)
            }
            Err(err) => Err(err.into()),
        }
    }

    async fn held(&self) -> Result<TenantTx, StepError> {
        self.reader.held(self.leased).await
    }

    fn now(&self) -> Timestamp {
        self.reader.clock.now()
    }
}
