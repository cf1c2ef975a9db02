//! Whatever is asked, whatever an instance has, wherever a pass is cut off and whatever the customer changes meanwhile:
//! the passes that follow end in the same state, which needs nothing more; and removal gives everything back. So it is
//! when somebody deletes our flows or takes the permission away, and while the instance moves to another function.

mod case;

use std::collections::{BTreeMap, BTreeSet};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use ringfence_api::domain::installation::{
    ExistingWhisper, InstallationRequest, InstallationState, OnLimiterUnavailable, QueueSelection,
    QueueState,
};
use sqlx::PgPool;

use crate::audit::assert_all_told;
use crate::fake::{self, DEFAULT_OUTBOUND, FakeInstance};
use crate::moves::{FUNCTIONS, ask_move, called, finish_move, placement, shards};
use crate::world::{FALLBACK, Site, World, request};
use case::{Ask, Case, Disturbed, Edit, OWN, QUEUES, case};

const CASES: usize = 80;

/// What the customer last gave each queue.
type Wanted = BTreeMap<&'static str, Option<&'static str>>;

async fn hold(world: &World, case: &Case) -> Result<(), String> {
    let queues: Vec<(&str, Option<&str>)> = QUEUES
        .into_iter()
        .zip(case.queues.iter().copied())
        .collect();
    let fake = FakeInstance::with_queues(&queues);
    fake.inside().has_fallback = true;
    for own in OWN {
        if !fake.inside().flows.contains_key(own) {
            fake.add_whisper(own);
        }
    }
    let mut wanted: Wanted = QUEUES
        .into_iter()
        .zip(case.queues.iter().copied())
        .collect();
    let site = world.site(fake).await;
    let held = play(&site, case, &mut wanted).await;
    site.put_away().await;
    held
}

async fn play(site: &Site<'_>, case: &Case, wanted: &mut Wanted) -> Result<(), String> {
    for ask in &case.asks {
        let asked = InstallationRequest {
            queues: match &ask.queues {
                None => QueueSelection::All,
                Some(places) => {
                    QueueSelection::Only(places.iter().map(|at| QUEUES[*at].to_owned()).collect())
                }
            },
            on_limiter_unavailable: match ask.denies {
                true => OnLimiterUnavailable::Deny,
                false => OnLimiterUnavailable::Allow,
            },
            prefix_filter: match ask.has_prefixes {
                true => ["+1".to_owned()].into(),
                false => BTreeSet::new(),
            },
            ..request(ask.existing_whisper)
        };
        site.ask(&asked).await;
        if ask.moves {
            ask_move(site.world, site.instance, None).await;
        }
        disturb(site, &ask.passes, wanted).await;
        // What the customer changed at the very end is found by the look after that.
        site.settle().await;
        site.settle().await;
        if placement(site).await.leaving.is_some() {
            finish_move(site, "").await;
        }
        is_installed(site, &asked, wanted).await?;
        is_as_asked(site, ask)?;
        calls_one_function(site).await?;
        site.fake.inside().changes.clear();
        site.pass().await.map_err(|err| err.to_string())?;
        let changes = site.fake.inside().changes.clone();
        if !changes.is_empty() {
            return Err(format!("a reached state was changed: {changes:?}"));
        }
    }
    if case.moves {
        ask_move(site.world, site.instance, None).await;
    }
    site.ask_removal().await;
    disturb(site, &case.removal, wanted).await;
    if site.assessment().await.state != InstallationState::Uninstalled {
        site.settle().await;
    }
    is_back(site, wanted)
}

/// Every whisper has what was asked for, and the fallback lets the instance in where it is called and nowhere else.
fn is_as_asked(site: &Site<'_>, ask: &Ask) -> Result<(), String> {
    let rewritten = site.fake.rewritten();
    if !rewritten.is_empty() {
        return Err(format!("{rewritten:?} are as somebody rewrote them"));
    }
    let inside = site.fake.inside();
    let whispers = inside.flows.values().filter(|(_, flow)| {
        let tag = flow.tags.get("ringfence-flow");
        tag.is_some_and(|tag| tag == "whisper")
    });
    for (_, flow) in whispers {
        let denies = flow.content.contains(FALLBACK);
        let has_prefixes = flow.content.contains("rf-prefix");
        if (denies, has_prefixes) != (ask.denies, ask.has_prefixes) {
            return Err(format!("{} is not as asked: {}", flow.name, flow.content));
        }
    }
    match inside.fallback_granted.len() {
        count if count == usize::from(ask.denies) => Ok(()),
        count => Err(format!("the fallback lets {count} in")),
    }
}

/// The one that the instance is placed on, which alone lets it in.
async fn calls_one_function(site: &Site<'_>) -> Result<(), String> {
    let function = placement(site).await.function_arn;
    let inside = site.fake.inside();
    let granted: Vec<&String> = inside
        .granted
        .iter()
        .map(|(function, _)| function)
        .collect();
    if granted != [&function] {
        return Err(format!("{granted:?} let it in, not {function}"));
    }
    let ours = inside
        .flows
        .values()
        .filter(|(_, flow)| flow.tags.contains_key("managed-by"));
    for (_, flow) in ours {
        let called = called(&flow.content);
        if called != [function.as_str()] {
            return Err(format!("{} calls {called:?}, not {function}", flow.name));
        }
    }
    Ok(())
}

/// Passes that are cut off, and during which the customer changes queues.
async fn disturb(site: &Site<'_>, passes: &[Disturbed], wanted: &mut Wanted) {
    for disturbed in passes {
        site.fake.fail(disturbed.cut_off);
        site.fake
            .edit(disturbed.edit.map(|(before, edit)| fake::Edit {
                before,
                change: match edit {
                    Edit::Repoint(queue, own) => fake::Change::Repoint {
                        queue: QUEUES[queue].to_owned(),
                        flow_id: OWN[own].to_owned(),
                    },
                    Edit::DeleteOurs(place) => fake::Change::DeleteOurs(place),
                    Edit::RewriteOurs(place) => fake::Change::RewriteOurs(place),
                    Edit::Ungrant => fake::Change::Ungrant,
                },
            }));
        // Its outcome does not matter: what counts is what comes after.
        if site.assessment().await.state != InstallationState::Uninstalled {
            let _ = site.pass().await;
        }
        if let Some((_, Edit::Repoint(queue, own))) = disturbed.edit
            && site.fake.was_edited()
        {
            wanted.insert(QUEUES[queue], Some(OWN[own]));
        }
        site.fake.edit(None);
        site.fake.fail(None);
    }
}

async fn is_installed(
    site: &Site<'_>,
    asked: &InstallationRequest,
    wanted: &Wanted,
) -> Result<(), String> {
    let ours = site.fake.our_flow_keys();
    let mut used = BTreeSet::new();
    for (queue, whisper) in wanted {
        let own = whisper.filter(|whisper| *whisper != DEFAULT_OUTBOUND);
        let refused = own.is_some() && asked.existing_whisper == ExistingWhisper::Refuse;
        let shown = site.fake.whisper_of(queue);
        let flow = shown.as_ref().and_then(|id| ours.get(id));
        if asked.queues.covers(queue) && !refused {
            let behind = own.filter(|_| asked.existing_whisper == ExistingWhisper::Merge);
            match flow {
                Some(original) if original.as_deref() == behind => used.extend(shown),
                other => {
                    return Err(format!(
                        "{queue} runs {shown:?} ({other:?}) instead of ours before {behind:?}"
                    ));
                }
            }
        } else if !has_back(shown.as_deref(), *whisper) {
            return Err(format!("{queue} runs {shown:?} instead of {whisper:?}"));
        }
    }
    // Somebody gave its queue a whisper that is refused, and may point it back.
    for queue in site.queues().await {
        if queue.state == QueueState::LeftAlone && queue.whisper_flow_id.is_some() {
            let own = queue.previous_flow_id.filter(|id| id != DEFAULT_OUTBOUND);
            let behind = own.filter(|_| asked.existing_whisper == ExistingWhisper::Merge);
            let is_kept = |(id, original): &(&String, &Option<String>)| {
                **original == behind && site.fake.is_whisper(id)
            };
            used.extend(ours.iter().find(is_kept).map(|(id, _)| id.clone()));
        }
    }
    // The notice flow is no queue's.
    let expected = used.len() + 1;
    if ours.len() != expected {
        return Err(format!(
            "{} flows of ours instead of {expected}",
            ours.len()
        ));
    }
    match site.fake.inside().granted.len() {
        1 => Ok(()),
        count => Err(format!("{count} permissions")),
    }
}

fn is_back(site: &Site<'_>, wanted: &Wanted) -> Result<(), String> {
    for (queue, whisper) in wanted {
        let shown = site.fake.whisper_of(queue);
        if !has_back(shown.as_deref(), *whisper) {
            return Err(format!(
                "{queue} was left with {shown:?} instead of {whisper:?}"
            ));
        }
    }
    let left = site.fake.our_flows();
    let inside = site.fake.inside();
    if !left.is_empty() || !inside.granted.is_empty() || !inside.fallback_granted.is_empty() {
        return Err(format!("left: {left:?}, or the permission"));
    }
    Ok(())
}

/// A queue without a whisper of its own runs Connect's default, and may say so afterwards.
fn has_back(shown: Option<&str>, whisper: Option<&str>) -> bool {
    shown == whisper || (whisper.is_none() && shown == Some(DEFAULT_OUTBOUND))
}

#[sqlx::test(migrations = "../migrations")]
async fn every_installation_converges_whatever_cuts_it_off_and_removal_gives_back(pool: PgPool) {
    let world = World::new(pool).await;
    shards(&world, &FUNCTIONS).await;
    let mut runner = TestRunner::deterministic();
    for number in 0..CASES {
        let mut tree = case().new_tree(&mut runner).expect("a case");
        let Err(mut found) = hold(&world, &tree.current()).await else {
            continue;
        };
        let mut smallest = tree.current();
        let mut more = tree.simplify();
        while more {
            more = match hold(&world, &tree.current()).await {
                Err(why) => {
                    (smallest, found) = (tree.current(), why);
                    tree.simplify()
                }
                Ok(()) => tree.complicate(),
            };
        }
        panic!("case {number}: {found}\n{smallest:#?}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_was_overtaken_at_any_request_does_nothing_more(pool: PgPool) {
    let world = World::new(pool).await;
    let mut overtaken = 0;
    for number in 1.. {
        let queues = [
            ("a", None),
            ("b", Some(OWN[0])),
            ("c", Some(DEFAULT_OUTBOUND)),
        ];
        let site = world.site(FakeInstance::with_queues(&queues)).await;
        site.ask(&request(ExistingWhisper::Merge)).await;
        site.is_due().await;
        let (reached, open) = site.fake.gate(number);
        let late = world.worker();
        let late_pass = late.look();
        tokio::pin!(late_pass);
        let is_over = tokio::select! {
            outcome = &mut late_pass => {
                outcome.expect("a pass");
                true
            }
            reached = reached => {
                reached.expect("told");
                false
            }
        };
        if is_over {
            assert!(site.assessment().await.reached);
            site.put_away().await;
            break;
        }
        overtaken += 1;
        // The rival finds the lease run out, and does everything.
        let rival = site.pass().await.expect("a pass");
        let before = site.fake.inside().changes.len();
        open.send(()).expect("the late one waits");
        late_pass.await.expect("a pass that gives up");
        let since = site.fake.inside().changes.len() - before;
        assert!(
            since <= 1,
            "request {number}: only what was under way arrived"
        );
        assert!(rival.reached, "request {number}");
        assert_eq!(site.assessment().await, rival, "request {number}");
        let wanted: Wanted = queues.into_iter().collect();
        site.settle().await;
        let all = request(ExistingWhisper::Merge);
        let installed = is_installed(&site, &all, &wanted).await;
        installed.unwrap_or_else(|why| panic!("request {number}: {why}"));
        site.ask_removal().await;
        site.settle().await;
        is_back(&site, &wanted).unwrap_or_else(|why| panic!("request {number}: {why}"));
        assert_all_told(&site, &format!("request {number}")).await;
        site.put_away().await;
    }
    assert!(overtaken > 20, "only {overtaken} requests");
}
