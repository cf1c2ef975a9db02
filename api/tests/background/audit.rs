//! Every change of ours in the customer's account is in the audit log, with what was there before and after it, wherever
//! a worker dies or is overtaken.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_api::background::installation::plan::content_sha256;
use ringfence_api::domain::installation::{
    ExistingWhisper, InstallationRequest, InstallationState, OnLimiterUnavailable,
};
use serde_json::json;
use sqlx::PgPool;

use crate::fake::{Change, DEFAULT_OUTBOUND, Edit, FakeInstance, Fault, Moment, whisper_content};
use crate::world::{Audited, Site, World, request};

/// Everything that an installation can have, the fallback included.
async fn site(world: &World) -> Site<'_> {
    let queues = [
        ("plain", None),
        ("default", Some(DEFAULT_OUTBOUND)),
        ("own", Some("their-whisper")),
    ];
    let fake = FakeInstance::with_queues(&queues);
    fake.inside().has_fallback = true;
    let site = world.site(fake).await;
    let asked = InstallationRequest {
        on_limiter_unavailable: OnLimiterUnavailable::Deny,
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&asked).await;
    site
}

/// As the double of the instance names what was changed.
fn change(entry: &Audited) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    match entry.action.as_str() {
        "installation.create_flow" => format!("create {}", text(&entry.after["name"])),
        "installation.update_flow" => format!("update {}", text(&entry.before["name"])),
        "installation.delete_flow" => format!("delete {}", text(&entry.before["name"])),
        "installation.attach_queue" | "installation.restore_queue" => {
            format!("queue {}", text(&entry.before["queue_id"]))
        }
        "installation.grant_permission" | "installation.grant_fallback" => {
            format!("grant {}", text(&entry.after["function_arn"]))
        }
        "installation.revoke_permission"
        | "installation.leave_function"
        | "installation.revoke_fallback" => {
            format!("revoke {}", text(&entry.before["function_arn"]))
        }
        other => panic!("an entry {other}"),
    }
}

/// Each change that was made has an entry, and no more entries say so for certain than there were changes.
pub async fn assert_all_told(site: &Site<'_>, case: &str) {
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for change in &site.fake.inside().history {
        *made.entry(change.clone()).or_default() += 1;
    }
    let (mut certain, mut told) = (BTreeMap::new(), BTreeMap::new());
    for entry in site.audited().await {
        let change = change(&entry);
        if entry.after["confirmed"] != json!(false) {
            *certain.entry(change.clone()).or_insert(0_usize) += 1;
        }
        *told.entry(change).or_insert(0_usize) += 1;
    }
    for (change, count) in &made {
        let told = told.get(change).copied().unwrap_or_default();
        assert!(
            told >= *count,
            "{change}: {told} entries for {count} changes, {case}"
        );
    }
    for (change, count) in certain {
        let made = made.get(&change).copied().unwrap_or_default();
        assert!(
            count <= made,
            "{change}: {count} entries for {made} changes, {case}"
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn every_change_is_in_the_audit_log_with_before_and_after(pool: PgPool) {
    let world = World::new(pool).await;
    let site = site(&world).await;
    site.pass().await.expect("a pass");
    let entries = site.audited().await;
    let told: Vec<String> = entries.iter().map(change).collect();
    assert_eq!(told, site.fake.inside().history);
    let attached = entries
        .iter()
        .find(|entry| entry.before["queue_id"] == "own")
        .expect("an entry");
    assert_eq!(attached.action, "installation.attach_queue");
    assert_eq!(
        attached.before,
        json!({ "queue_id": "own", "name": "Queue own", "whisper_flow_id": "their-whisper" })
    );
    assert_eq!(
        attached.after,
        json!({ "queue_id": "own", "name": "Queue own", "whisper_flow_id": site.fake.whisper_of("own") })
    );
    let created = &entries[1];
    assert_eq!(created.before, json!(null));
    let notice = site.fake.our_flows();
    assert!(notice.contains(&created.after["flow_id"].as_str().expect("an id").to_owned()));

    // Somebody edits a flow, and it is mended: both contents are told by their digests.
    let whisper = site.fake.whisper_of("own").expect("a whisper");
    {
        let mut inside = site.fake.inside();
        let flow = &mut inside.flows.get_mut(&whisper).expect("the flow").1;
        flow.content = "{}".to_owned();
        flow.sha256 = Some("another".to_owned());
    }
    site.pass().await.expect("a pass");
    let entries = site.audited().await;
    let mended = entries.last().expect("an entry");
    assert_eq!(mended.action, "installation.update_flow");
    assert_eq!(
        mended.before["content_sha256"],
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
    assert_ne!(
        mended.after["content_sha256"],
        mended.before["content_sha256"]
    );

    site.ask_removal().await;
    site.pass().await.expect("a pass");
    let entries = site.audited().await;
    let told: Vec<String> = entries.iter().map(change).collect();
    assert_eq!(told, site.fake.inside().history);
    assert_eq!(
        entries.last().map(|entry| entry.action.as_str()),
        Some("installation.revoke_fallback")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_change_whose_answer_was_lost_is_told_as_unconfirmed(pool: PgPool) {
    let world = World::new(pool).await;
    let mut interrupted = 0;
    for fault in (1..80).flat_map(|number| [Fault::Before(number), Fault::After(number)]) {
        let site = site(&world).await;
        site.fake.fail(Some(fault));
        site.pass().await.expect("a pass");
        let struck = site.fake.struck();
        site.fake.fail(None);
        site.settle().await;
        site.ask_removal().await;
        site.settle().await;
        assert_all_told(&site, &format!("{fault:?}")).await;
        site.put_away().await;
        if !struck {
            break;
        }
        interrupted += 1;
    }
    assert!(interrupted > 30, "only {interrupted} requests were cut off");
}

/// Also where a removal is cut off: what a lost answer was about is told, and once at that.
#[sqlx::test(migrations = "../migrations")]
async fn a_flow_whose_deletion_lost_its_answer_is_told_as_deleted(pool: PgPool) {
    let world = World::new(pool).await;
    let mut interrupted = 0;
    for fault in (1..80).flat_map(|number| [Fault::Before(number), Fault::After(number)]) {
        let site = site(&world).await;
        site.settle().await;
        site.ask_removal().await;
        site.fake.fail(Some(fault));
        site.pass().await.expect("a pass");
        let struck = site.fake.struck();
        site.fake.fail(None);
        site.settle().await;
        assert_all_told(&site, &format!("{fault:?}")).await;
        let entries = site.audited().await;
        let deleted = entries
            .iter()
            .filter(|entry| entry.action == "installation.delete_flow");
        let certain = deleted.filter(|entry| entry.after == json!(null)).count();
        assert_eq!(certain, site.fake.inside().deleted.len(), "{fault:?}");
        site.put_away().await;
        if !struck {
            break;
        }
        interrupted += 1;
    }
    assert!(interrupted > 30, "only {interrupted} requests were cut off");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_flow_held_when_it_was_deleted_is_told_whatever_somebody_made_of_it(pool: PgPool) {
    let world = World::new(pool).await;
    let (mut edited, mut removals) = (0, 0);
    for before in 1..80 {
        let site = site(&world).await;
        site.settle().await;
        site.ask_removal().await;
        site.fake.edit(Some(Edit {
            before,
            change: Change::RewriteOurs(before as usize % 3),
        }));
        let _ = site.pass().await;
        let is_over = !site.fake.was_edited();
        site.fake.edit(None);
        site.settle().await;
        let entries = site.audited().await;
        let told: Vec<String> = entries
            .iter()
            .filter(|entry| entry.action == "installation.delete_flow")
            .map(|entry| entry.before["content_sha256"].as_str().unwrap_or_default())
            .map(str::to_owned)
            .collect();
        let contents = site.fake.inside().deleted.clone();
        let deleted: Vec<String> = contents.iter().map(|it| content_sha256(it)).collect();
        assert_eq!(told, deleted, "{before}");
        let is_theirs = |content: &&String| content.contains("somebody-was-here");
        edited += contents.iter().filter(is_theirs).count();
        site.put_away().await;
        if is_over {
            break;
        }
        removals += 1;
    }
    assert!(edited > 10 && removals > 20, "only {edited} of {removals}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_change_over_which_the_worker_died_is_told_by_the_next_one(pool: PgPool) {
    let world = World::new(pool).await;
    let mut killed = 0;
    for moment in (1..80).flat_map(|number| [Moment::Before(number), Moment::After(number)]) {
        let site = site(&world).await;
        site.is_due().await;
        let (reached, open) = site.fake.gate_at(moment);
        let is_over = {
            let dying = world.worker();
            tokio::select! {
                found = dying.look() => {
                    found.expect("a pass");
                    true
                }
                reached = reached => {
                    reached.expect("told");
                    false
                }
            }
        };
        // A gate that was not reached stops nobody any more.
        drop(open);
        let assessment = site.settle().await;
        assert_eq!(assessment.state, InstallationState::Installed, "{moment:?}");
        assert_all_told(&site, &format!("{moment:?}")).await;
        site.ask_removal().await;
        site.settle().await;
        assert_all_told(&site, &format!("{moment:?}")).await;
        assert_eq!(site.fake.our_flows(), Vec::<String>::new(), "{moment:?}");
        site.put_away().await;
        if is_over {
            break;
        }
        killed += 1;
    }
    assert!(killed > 40, "only {killed} times");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_there_before_is_what_was_there_whatever_somebody_did_meanwhile(pool: PgPool) {
    let world = World::new(pool).await;
    let mut overwritten = 0;
    for before in 1..60 {
        let site = site(&world).await;
        site.settle().await;
        site.fake
            .publish("their-whisper", &whisper_content("new words"));
        site.fake.edit(Some(Edit {
            before,
            change: Change::RewriteOurs(1),
        }));
        site.pass().await.expect("a pass");
        let is_over = !site.fake.was_edited();
        site.fake.edit(None);
        site.settle().await;
        site.ask_removal().await;
        site.settle().await;
        let entries = site.audited().await;
        let digests = |action: &str| -> Vec<String> {
            let its = entries.iter().filter(|entry| entry.action == action);
            its.map(|entry| entry.before["content_sha256"].as_str().unwrap_or_default())
                .map(str::to_owned)
                .collect()
        };
        let lost = |lost: &[String]| -> Vec<String> {
            lost.iter().map(|content| content_sha256(content)).collect()
        };
        let told = digests("installation.update_flow");
        assert_eq!(told, lost(&site.fake.inside().overwritten), "{before}");
        let told = digests("installation.delete_flow");
        assert_eq!(told, lost(&site.fake.inside().deleted), "{before}");
        overwritten += site.fake.inside().overwritten.len();
        site.put_away().await;
        if is_over {
            break;
        }
    }
    assert!(overwritten > 20, "only {overwritten} updates");
}

#[sqlx::test(migrations = "../migrations")]
async fn the_whisper_that_a_queue_showed_right_before_its_change_is_told(pool: PgPool) {
    let world = World::new(pool).await;
    let queues = [
        ("first", Some("their-whisper")),
        ("second", Some("other-whisper")),
    ];
    let mut shown = BTreeSet::new();
    for before in 1..40 {
        let site = world.site(FakeInstance::with_queues(&queues)).await;
        site.ask(&request(ExistingWhisper::Merge)).await;
        site.settle().await;
        let [first, second] =
            ["first", "second"].map(|queue| site.fake.whisper_of(queue).expect("a whisper"));
        site.ask_removal().await;
        // Between the look and its turn the queue is pointed at another one of ours.
        let change = Change::Repoint {
            queue: "first".to_owned(),
            flow_id: second.clone(),
        };
        site.fake.edit(Some(Edit { before, change }));
        let _ = site.pass().await;
        let is_over = !site.fake.was_edited();
        site.fake.edit(None);
        site.settle().await;
        let entries = site.audited().await;
        let restored = entries.iter().rev().find(|entry| {
            entry.action == "installation.restore_queue" && entry.before["queue_id"] == "first"
        });
        let told = &restored.expect("an entry").before["whisper_flow_id"];
        let really = site.fake.inside().replaced["first"].clone();
        assert_eq!(told.as_str(), really.as_deref(), "{before}");
        shown.insert(really == Some(first));
        site.put_away().await;
        if is_over {
            break;
        }
    }
    assert_eq!(shown, BTreeSet::from([false, true]));
}
