//! Sessions of customers' roles, beneath work that outlasts them.

use jiff::Timestamp;
use ringfence_api::aws::{AwsError, AwsErrorKind, InstanceAccess, SdkConnectInstance};
use ringfence_api::clock::Clock;
use ringfence_api::domain::pace::Urgency;
use ringfence_api::store::Store;
use sqlx::PgPool;

use crate::centre::{Centre, Fault};

struct Town {
    centre: Centre,
    clock: Clock,
    ways: Vec<InstanceAccess>,
}

fn at(time: &str) -> Timestamp {
    format!("2026-01-01T{time}Z").parse().expect("a time")
}

impl Town {
    /// At eight o'clock, when sessions are given that end at nine.
    async fn new(pool: PgPool) -> Self {
        let clock = Clock::manual(at("08:00:00"));
        let arn = "arn:aws:connect:us-east-1:111122223333:instance/i1"
            .parse()
            .expect("an ARN");
        let roles = ["arn:aws:iam::111122223333:role/one".to_owned()];
        let external_ids = ["present".to_owned(), "pending".to_owned()];
        Self {
            centre: Centre::start(Store::from_pool(pool), clock.clone()).await,
            clock,
            ways: InstanceAccess::ways(&arn, &roles, &external_ids),
        }
    }

    async fn connect(&self) -> SdkConnectInstance {
        let connect = self.centre.aws.connect_instance(&self.ways, Urgency::Asked);
        connect.await.expect("a session")
    }

    /// Whose session the request was sent in; nobody has the agent.
    async fn ask(&self, connect: &SdkConnectInstance) -> Result<String, AwsError> {
        match connect.agent_routing_profile("nobody").await {
            Err(err) if err.kind == AwsErrorKind::NotFound => {}
            answer => drop(answer?),
        }
        Ok(self
            .centre
            .inside()
            .sessions
            .last()
            .cloned()
            .expect("a session"))
    }

    fn sessions_end(&self, time: &str) {
        self.centre.inside().session_ends = Some(at(time));
    }

    fn refuse_the_next_role(&self) {
        let refusal = Fault::Refuse(403, "AccessDenied");
        self.centre.inside().role_faults.push_back(refusal);
    }

    fn assumed(&self) -> usize {
        self.centre.inside().assumed.len()
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_look_that_outlasts_its_session_goes_on_in_another(pool: PgPool) {
    let town = Town::new(pool).await;
    let look = town.connect().await;
    town.clock.set(at("08:54:59"));
    assert_eq!(town.ask(&look).await.expect("an answer"), "session-1");
    town.sessions_end("09:55:00");
    for time in ["08:55:00", "09:49:59"] {
        town.clock.set(at(time));
        assert_eq!(town.ask(&look).await.expect("an answer"), "session-2");
    }
    assert_eq!(town.assumed(), 2);
    town.sessions_end("10:55:00");
    town.clock.set(at("09:50:00"));
    assert_eq!(town.ask(&look).await.expect("an answer"), "session-3");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_session_is_renewed_by_whichever_external_id_is_accepted_then(pool: PgPool) {
    let town = Town::new(pool).await;
    let look = town.connect().await;
    town.clock.set(at("08:55:00"));
    town.sessions_end("09:55:00");
    town.refuse_the_next_role();
    for _ in 0..3 {
        assert_eq!(town.ask(&look).await.expect("an answer"), "session-3");
    }
    assert_eq!(town.assumed(), 3, "what was refused is not tried each time");
    let assumed = town.centre.inside().assumed.clone();
    assert!(assumed[1].contains("ExternalId=present"), "{assumed:?}");
    assert!(assumed[2].contains("ExternalId=pending"), "{assumed:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_role_that_is_taken_away_during_a_look_is_told_as_such(pool: PgPool) {
    let town = Town::new(pool).await;
    let look = town.connect().await;
    town.clock.set(at("08:55:00"));
    town.refuse_the_next_role();
    town.refuse_the_next_role();
    let refused = town.ask(&look).await.expect_err("no session");
    assert_eq!(refused.kind, AwsErrorKind::AccessDenied);
    assert_eq!(refused.action, "sts:AssumeRole");
}

#[sqlx::test(migrations = "../migrations")]
async fn one_role_for_both_purposes_is_assumed_for_each_of_them(pool: PgPool) {
    let town = Town::new(pool).await;
    for _ in 0..2 {
        town.centre.aws.task_starter(&town.ways).await.expect("one");
        town.connect().await;
    }
    let assumed = town.centre.inside().assumed.clone();
    let whole: Vec<bool> = assumed
        .iter()
        .map(|request| request.contains("connect%3A%2A"))
        .collect();
    assert_eq!(whole, [false, true]);
}
