//! The queues of an instance, read page by page.

use ringfence_api::app::instance_queues::instance_queues;

use crate::fake::{DEFAULT_OUTBOUND, FakeInstance};

#[tokio::test]
async fn every_queue_is_on_one_page_in_the_order_of_names_and_a_page_reads_no_others() {
    let fake = FakeInstance::with_queues(&[
        ("d", Some("ours")),
        ("b", None),
        ("a", Some("theirs")),
        ("c", Some(DEFAULT_OUTBOUND)),
        ("e", None),
    ]);
    // Two of a name: their ids tell them apart.
    for queue in ["c", "d"] {
        let mut inside = fake.inside();
        inside.queues.get_mut(queue).expect("the queue").name = "Twin".to_owned();
    }
    let ours = ["ours".to_owned()];
    let mut read = Vec::new();
    let mut after = None;
    for size in [2, 2, 1] {
        fake.fail(None);
        let page = instance_queues(&fake, &ours, after.as_ref(), 2).await;
        let page = page.expect("a page");
        assert_eq!(page.queues.len(), size);
        // The flows' names, the queues' names, and each queue of the page.
        assert_eq!(fake.requests(), 2 + u32::try_from(size).expect("few"));
        read.extend(page.queues);
        after = page.more_after;
    }
    assert_eq!(after, None);
    let shown: Vec<(&str, Option<&str>, bool)> = read
        .iter()
        .map(|queue| {
            let id = queue.queue_id.as_str();
            (id, queue.whisper_flow_name.as_deref(), queue.covered)
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("a", Some("Whisper theirs"), false),
            ("b", None, false),
            ("e", None, false),
            ("c", Some("Default outbound"), false),
            ("d", Some("Whisper ours"), true),
        ]
    );
}
