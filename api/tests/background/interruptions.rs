//! A pass may be cut off at any request, before or after it took effect: the next passes bring the same result.

use ringfence_api::domain::installation::{ExistingWhisper, InstallationState};
use sqlx::PgPool;

use crate::fake::{DEFAULT_OUTBOUND, FakeInstance, Fault};
use crate::world::{Site, World, request};

const REQUESTS_MAX: u32 = 80;

fn queues() -> FakeInstance {
    FakeInstance::with_queues(&[("plain", None), ("own", Some("their-whisper"))])
}

fn assert_installed(site: &Site<'_>, fault: Fault) {
    let mut names: Vec<String> = {
        let inside = site.fake.inside();
        let ours = inside
            .flows
            .values()
            .filter(|(_, flow)| flow.tags.contains_key("managed-by"));
        ours.map(|(_, flow)| flow.name.clone()).collect()
    };
    names.sort();
    assert_eq!(
        names,
        [
            "Ringfence notice",
            "Ringfence outbound whisper",
            "Ringfence outbound whisper their-wh"
        ],
        "{fault:?}"
    );
    assert_eq!(site.fake.inside().granted.len(), 1, "{fault:?}");
    let ours = site.fake.our_flows();
    for queue in ["plain", "own"] {
        let whisper = site.fake.whisper_of(queue).expect("a whisper");
        assert!(ours.contains(&whisper), "{queue} {fault:?}");
    }
}

fn assert_removed(site: &Site<'_>, fault: Fault) {
    assert_eq!(site.fake.our_flows(), Vec::<String>::new(), "{fault:?}");
    assert!(site.fake.inside().granted.is_empty(), "{fault:?}");
    assert_eq!(
        site.fake.whisper_of("plain").as_deref(),
        Some(DEFAULT_OUTBOUND),
        "{fault:?}"
    );
    assert_eq!(
        site.fake.whisper_of("own").as_deref(),
        Some("their-whisper"),
        "{fault:?}"
    );
}

/// Every request once, lost before and lost after its effect.
fn faults() -> impl Iterator<Item = Fault> {
    (1..=REQUESTS_MAX).flat_map(|number| [Fault::Before(number), Fault::After(number)])
}

#[sqlx::test(migrations = "../migrations")]
async fn an_installation_cut_off_anywhere_converges_without_duplicates(pool: PgPool) {
    let world = World::new(pool).await;
    let mut interrupted = 0;
    for fault in faults() {
        let site = world.site(queues()).await;
        site.ask(&request(ExistingWhisper::Merge)).await;
        site.fake.fail(Some(fault));
        // A step may get over it by itself, or the pass ends there.
        site.pass().await.expect("a pass");
        let struck = site.fake.struck();
        site.fake.fail(None);
        site.settle().await;
        assert_installed(&site, fault);
        site.fake.inside().changes.clear();
        site.pass().await.expect("a pass");
        assert_eq!(
            site.fake.inside().changes,
            Vec::<String>::new(),
            "{fault:?}"
        );
        site.ask_removal().await;
        site.settle().await;
        assert_removed(&site, fault);
        site.put_away().await;
        if !struck {
            break;
        }
        interrupted += 1;
    }
    assert!(interrupted > 30, "only {interrupted} requests were cut off");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_removal_cut_off_anywhere_puts_everything_back(pool: PgPool) {
    let world = World::new(pool).await;
    let mut interrupted = 0;
    for fault in faults() {
        let site = world.site(queues()).await;
        site.ask(&request(ExistingWhisper::Merge)).await;
        site.settle().await;
        site.ask_removal().await;
        site.fake.fail(Some(fault));
        // A step may get over it by itself, or the pass ends there.
        site.pass().await.expect("a pass");
        let struck = site.fake.struck();
        site.fake.fail(None);
        let assessment = site.settle().await;
        assert_eq!(assessment.state, InstallationState::Uninstalled);
        assert_removed(&site, fault);
        site.put_away().await;
        if !struck {
            break;
        }
        interrupted += 1;
    }
    assert!(interrupted > 20, "only {interrupted} requests were cut off");
}
