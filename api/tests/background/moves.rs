//! An instance moves to another limiter function without a moment in which a call finds its function closed, wherever the
//! move is cut off; a function that is drained ends up empty.

use jiff::SignedDuration;
use ringfence_api::domain::ids::InstanceId;
use ringfence_api::domain::installation::{
    ConditionStatus, ConditionType, Drift, ExistingWhisper, InstallationRequest, InstallationState,
};
use ringfence_api::store::{MoveAsked, Placement, Shard};
use sqlx::PgPool;

use crate::audit::assert_all_told;
use crate::fake::{DEFAULT_OUTBOUND, FakeInstance, Fault, Moment};
use crate::world::{FUNCTION, REGION, Site, World, condition, request};

const SECOND: &str = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-10";
/// The first one's name begins like the second's.
pub const FUNCTIONS: [&str; 2] = [FUNCTION, SECOND];
/// Calls that began before a flow was repointed may go to the former function for so long.
const CALLS_END: SignedDuration = SignedDuration::from_mins(5);

async fn world(pool: PgPool, functions: &[&str]) -> World {
    let world = World::new(pool).await;
    shards(&world, functions).await;
    world
}

pub async fn shards(world: &World, functions: &[&str]) {
    let functions: Vec<(String, String)> = functions
        .iter()
        .map(|arn| ((*arn).to_owned(), REGION.to_owned()))
        .collect();
    world.store.shard_sync(&functions).await.expect("shards");
}

async fn installed(world: &World) -> Site<'_> {
    let queues = [("plain", None), ("own", Some("their-whisper"))];
    let site = world.site(FakeInstance::with_queues(&queues)).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.settle().await;
    site
}

pub async fn ask_move(world: &World, instance: InstanceId, to: Option<&str>) -> MoveAsked {
    let mut tx = world.store.system("test").await.expect("a transaction");
    let now = world.clock.now();
    let asked = tx.shard_move(world.tenant, instance, to, now).await;
    tx.commit().await.expect("committed");
    asked.expect("an answer")
}

pub async fn placement(site: &Site<'_>) -> Placement {
    let placed = site
        .world
        .store
        .shard_placed(site.world.tenant, site.instance);
    placed.await.expect("an answer").expect("a place")
}

async fn shard(world: &World, function_arn: &str) -> Shard {
    let mut tx = world.store.system("test").await.expect("a transaction");
    let shard = tx.shard_get(function_arn).await;
    shard.expect("an answer").expect("a shard")
}

async fn drain(world: &World, function_arn: &str) {
    let mut tx = world.store.system("test").await.expect("a transaction");
    tx.shard_drain(function_arn, true, world.clock.now())
        .await
        .expect("drained");
    tx.commit().await.expect("committed");
}

/// Which functions the flows of this content call.
pub fn called(content: &str) -> Vec<&'static str> {
    let is_called = |function: &&str| content.contains(&format!("\"{function}\""));
    FUNCTIONS.into_iter().filter(is_called).collect()
}

/// Each queue's whisper of ours calls one function, and that lets the instance in.
fn assert_limited(site: &Site<'_>, case: &str) {
    let inside = site.fake.inside();
    for queue in inside.queues.values() {
        let whisper = queue.outbound.flow_id.as_ref();
        let Some((_, flow)) = whisper.and_then(|whisper| inside.flows.get(whisper)) else {
            continue;
        };
        if !flow.tags.contains_key("managed-by") {
            continue;
        }
        let functions = called(&flow.content);
        assert_eq!(functions.len(), 1, "{}: {case}", queue.name);
        let statement = (functions[0].to_owned(), site.instance.to_string());
        assert!(
            inside.granted.contains(&statement),
            "{} calls {}, which does not let it in: {case}",
            queue.name,
            functions[0]
        );
    }
}

async fn free_place(world: &World, instance: InstanceId) {
    let mut tx = world
        .store
        .tenant(world.tenant)
        .await
        .expect("a transaction");
    tx.shard_free(instance).await.expect("freed");
    tx.commit().await.expect("committed");
}

/// The next one is to begin on the first function again.
async fn give_place_back(site: &Site<'_>) {
    free_place(site.world, site.instance).await;
    site.put_away().await;
}

/// Passes until the move is over; how many.
pub async fn finish_move(site: &Site<'_>, case: &str) -> usize {
    for pass in 1..=9 {
        site.pass().await.expect("a pass");
        assert_limited(site, case);
        if placement(site).await.leaving.is_none() {
            return pass;
        }
    }
    panic!("the move is not over after nine passes: {case}");
}

/// Every queue is limited, and by the second function alone.
fn assert_moved(site: &Site<'_>, case: &str) {
    let inside = site.fake.inside();
    for queue in inside.queues.values() {
        let whisper = queue.outbound.flow_id.as_ref().expect("a whisper");
        assert!(
            inside.flows[whisper].1.tags.contains_key("managed-by"),
            "{case}"
        );
    }
    let statement = (SECOND.to_owned(), site.instance.to_string());
    assert_eq!(
        inside.granted.iter().collect::<Vec<_>>(),
        [&statement],
        "{case}"
    );
    let ours = inside
        .flows
        .values()
        .filter(|(_, flow)| flow.tags.contains_key("managed-by"));
    for (_, flow) in ours {
        assert_eq!(called(&flow.content), [SECOND], "{}: {case}", flow.name);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn both_functions_let_the_instance_in_until_earlier_calls_are_over(pool: PgPool) {
    let world = world(pool, &FUNCTIONS).await;
    let site = installed(&world).await;
    assert_eq!(placement(&site).await.function_arn, FUNCTION);
    site.fake.inside().changes.clear();
    let asked = ask_move(&world, site.instance, None).await;
    assert!(matches!(asked, MoveAsked::Begun(_)), "{asked:?}");
    assert_eq!(
        ask_move(&world, site.instance, None).await,
        MoveAsked::UnderWay
    );
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Installed);
    let standing = condition(&assessment, ConditionType::ShardAssigned);
    assert_eq!(standing.status, ConditionStatus::True);
    assert_eq!(standing.reason, "moving");
    // Let in first, then called.
    let changes = site.fake.inside().changes.clone();
    assert_eq!(changes[0], format!("grant {SECOND}"));
    assert!(
        changes[1..]
            .iter()
            .all(|change| change.starts_with("update "))
    );
    let repointed_at = world.clock.now();
    assert_eq!(site.fake.inside().granted.len(), 2);
    let (first, second) = (shard(&world, FUNCTION).await, shard(&world, SECOND).await);
    assert_eq!((first.instances, first.leaving), (0, 1));
    assert_eq!((second.instances, second.arriving), (1, 1));
    finish_move(&site, "undisturbed").await;
    let waited = world.clock.now().duration_since(repointed_at);
    assert!(waited >= CALLS_END, "{waited}");
    assert_moved(&site, "undisturbed");
    let (first, second) = (shard(&world, FUNCTION).await, shard(&world, SECOND).await);
    assert_eq!((first.instances, first.leaving), (0, 0));
    assert_eq!((second.instances, second.arriving), (1, 0));
    // It is a reached state like any other.
    site.fake.inside().changes.clear();
    let after = site.pass().await.expect("a pass");
    assert_eq!(
        condition(&after, ConditionType::ShardAssigned).reason,
        "assigned"
    );
    assert_eq!(site.fake.inside().changes, Vec::<String>::new());
    assert_all_told(&site, "moved").await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_move_cut_off_anywhere_leaves_no_call_unlimited_and_ends_the_same(pool: PgPool) {
    let world = world(pool, &FUNCTIONS).await;
    let mut interrupted = 0;
    for fault in (1..60).flat_map(|number| [Fault::Before(number), Fault::After(number)]) {
        let case = format!("{fault:?}");
        let site = installed(&world).await;
        ask_move(&world, site.instance, Some(SECOND)).await;
        site.fake.fail(Some(fault));
        let mut passes = 0;
        while placement(&site).await.leaving.is_some() && passes < 9 {
            world.wait(CALLS_END);
            site.pass().await.expect("a pass");
            assert_limited(&site, &case);
            passes += 1;
        }
        let struck = site.fake.struck();
        site.fake.fail(None);
        if placement(&site).await.leaving.is_some() {
            finish_move(&site, &case).await;
        }
        assert_moved(&site, &case);
        assert_all_told(&site, &case).await;
        give_place_back(&site).await;
        if !struck {
            break;
        }
        interrupted += 1;
    }
    assert!(interrupted > 30, "only {interrupted} requests were cut off");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_move_over_which_the_worker_dies_is_ended_by_the_next_one(pool: PgPool) {
    let world = world(pool, &FUNCTIONS).await;
    let mut killed = 0;
    'moments: for moment in
        (1..60).flat_map(|number| [Moment::Before(number), Moment::After(number)])
    {
        let case = format!("{moment:?}");
        let site = installed(&world).await;
        ask_move(&world, site.instance, Some(SECOND)).await;
        let (reached, _open) = site.fake.gate_at(moment);
        tokio::pin!(reached);
        let mut is_killed = false;
        for pass in 1.. {
            assert!(pass < 12, "the move does not end: {case}");
            if placement(&site).await.leaving.is_none() {
                break;
            }
            world.wait(CALLS_END);
            site.is_due().await;
            let worker = world.worker();
            tokio::select! {
                found = worker.look() => drop(found.expect("a pass")),
                reached = &mut reached, if !is_killed => {
                    reached.expect("told");
                    is_killed = true;
                }
            }
            assert_limited(&site, &case);
        }
        assert_moved(&site, &case);
        assert_all_told(&site, &case).await;
        give_place_back(&site).await;
        if !is_killed {
            break 'moments;
        }
        killed += 1;
    }
    assert!(killed > 40, "only {killed} times");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_copy_whose_original_is_gone_calls_the_other_function_all_the_same(pool: PgPool) {
    let world = world(pool, &FUNCTIONS).await;
    let site = installed(&world).await;
    let copy = site.fake.whisper_of("own").expect("a whisper");
    site.fake.inside().flows.remove("their-whisper");
    ask_move(&world, site.instance, Some(SECOND)).await;
    finish_move(&site, "without the original").await;
    assert_moved(&site, "without the original");
    assert_eq!(site.fake.whisper_of("own"), Some(copy));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flow_that_is_only_kept_for_its_queue_calls_the_other_function_too(pool: PgPool) {
    let world = world(pool, &FUNCTIONS).await;
    let queues = [("plain", None), ("own", Some("their-whisper"))];
    let site = world.site(FakeInstance::with_queues(&queues)).await;
    let report = InstallationRequest {
        drift: Drift::Report,
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&report).await;
    site.settle().await;
    let point = |flow_id: &str| {
        let mut inside = site.fake.inside();
        let queue = inside.queues.get_mut("own").expect("the queue");
        queue.outbound.flow_id = Some(flow_id.to_owned());
    };
    let ours = site.fake.whisper_of("own").expect("a whisper");
    point(DEFAULT_OUTBOUND);
    ask_move(&world, site.instance, Some(SECOND)).await;
    finish_move(&site, "reported").await;
    // By hand, back to what it ran.
    point(&ours);
    assert_limited(&site, "reported");
    assert_moved(&site, "reported");
}

#[sqlx::test(migrations = "../migrations")]
async fn removing_half_way_through_a_move_leaves_nothing_at_either_function(pool: PgPool) {
    let world = world(pool, &FUNCTIONS).await;
    for passes in 0..3 {
        let site = installed(&world).await;
        ask_move(&world, site.instance, Some(SECOND)).await;
        for _ in 0..passes {
            site.pass().await.expect("a pass");
        }
        site.ask_removal().await;
        let assessment = site.settle().await;
        assert_eq!(assessment.state, InstallationState::Uninstalled);
        assert!(site.fake.inside().granted.is_empty(), "{passes}");
        for function in FUNCTIONS {
            let shard = shard(&world, function).await;
            assert_eq!((shard.instances, shard.leaving), (0, 0), "{passes}");
        }
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_drained_function_ends_up_empty_and_gets_nothing_new(pool: PgPool) {
    let world = world(pool, &FUNCTIONS).await;
    let sites = [installed(&world).await, installed(&world).await];
    drain(&world, FUNCTION).await;
    for site in &sites {
        site.put_away().await;
    }
    for site in &sites {
        finish_move(site, "drained").await;
        assert_moved(site, "drained");
        site.put_away().await;
    }
    let drained = shard(&world, FUNCTION).await;
    assert_eq!((drained.instances, drained.leaving), (0, 0));
    let another = installed(&world).await;
    assert_eq!(placement(&another).await.function_arn, SECOND);
    let refused = ask_move(&world, another.instance, Some(FUNCTION)).await;
    assert_eq!(refused, MoveAsked::NotAvailable);
    let there = ask_move(&world, another.instance, Some(SECOND)).await;
    assert_eq!(there, MoveAsked::There);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_instance_of_a_drained_function_waits_limited_until_another_has_room(pool: PgPool) {
    let world = world(pool, &[FUNCTION]).await;
    let site = installed(&world).await;
    drain(&world, FUNCTION).await;
    for _ in 0..2 {
        let assessment = site.pass().await.expect("a pass");
        assert_eq!(assessment.state, InstallationState::Installed);
        let standing = condition(&assessment, ConditionType::ShardAssigned);
        assert_eq!(standing.reason, "draining_without_room");
        assert_limited(&site, "stranded");
    }
    assert_eq!(
        ask_move(&world, site.instance, None).await,
        MoveAsked::NoRoom
    );
    shards(&world, &FUNCTIONS).await;
    finish_move(&site, "with room").await;
    assert_moved(&site, "with room");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_instance_without_a_place_says_so_and_is_installed_once_there_is_one(pool: PgPool) {
    let world = world(pool, &[FUNCTION]).await;
    for _ in 0..40 {
        let (instance, _) = world.instance().await;
        let now = world.clock.now();
        let placed = world
            .store
            .shard_assign(world.tenant, instance, REGION, now);
        assert!(placed.await.expect("an answer").is_some());
    }
    let mut tx = world.store.system("test").await.expect("a transaction");
    let backlog = tx.backlog(world.clock.now()).await.expect("a backlog");
    drop(tx);
    assert_eq!(
        (backlog.shards[0].instances, backlog.shards[0].capacity),
        (40, 40)
    );
    let site = world
        .site(FakeInstance::with_queues(&[("plain", None)]))
        .await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    let standing = condition(&assessment, ConditionType::ShardAssigned);
    assert_eq!(standing.status, ConditionStatus::False);
    assert_eq!(standing.reason, "no_shard_capacity");
    assert!(standing.message.contains(REGION), "{}", standing.message);
    assert_eq!(site.fake.inside().changes, Vec::<String>::new());
    shards(&world, &FUNCTIONS).await;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Installed);
    assert_eq!(placement(&site).await.function_arn, SECOND);
}

#[sqlx::test(migrations = "../migrations")]
async fn moves_take_a_place_on_both_functions(pool: PgPool) {
    let world = world(pool, &FUNCTIONS).await;
    let mut instances = Vec::new();
    for _ in 0..80 {
        let (instance, _) = world.instance().await;
        let now = world.clock.now();
        let placed = world
            .store
            .shard_assign(world.tenant, instance, REGION, now);
        let placed = placed.await.expect("an answer").expect("a place");
        instances.push((instance, placed.function_arn));
    }
    let (instance, _) = instances[0];
    assert_eq!(ask_move(&world, instance, None).await, MoveAsked::NoRoom);
    // One place on the second is given back, and taken by the move; the first's stays taken.
    let (last, function) = &instances[79];
    assert_eq!(function, SECOND);
    free_place(&world, *last).await;
    let begun = ask_move(&world, instance, None).await;
    assert!(matches!(begun, MoveAsked::Begun(_)), "{begun:?}");
    let (another, _) = world.instance().await;
    let now = world.clock.now();
    let placed = world.store.shard_assign(world.tenant, another, REGION, now);
    assert_eq!(placed.await.expect("an answer"), None);
}
