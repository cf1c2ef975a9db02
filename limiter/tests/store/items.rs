//! What becomes of items: they expire, some time after they should.

use aws_sdk_dynamodb::types::{TimeToLiveSpecification, TimeToLiveStatus};

use crate::place::{Item, in_store, number, text};

/// The store deletes late, days late on AWS: whoever reads has to look at the time itself.
#[tokio::test]
async fn an_expired_item_may_still_be_read_and_can_be_written_over() {
    in_store(async |place| {
        let expiry = TimeToLiveSpecification::builder()
            .attribute_name("ttl")
            .enabled(true)
            .build()
            .unwrap();
        let request = place.client.update_time_to_live().table_name(&place.table);
        let answer = request
            .time_to_live_specification(expiry)
            .send()
            .await
            .unwrap();
        let told = answer.time_to_live_specification.unwrap();
        assert_eq!((told.attribute_name.as_str(), told.enabled), ("ttl", true));
        let described = place
            .client
            .describe_time_to_live()
            .table_name(&place.table);
        let described = described
            .send()
            .await
            .unwrap()
            .time_to_live_description
            .unwrap();
        assert_eq!(described.attribute_name.as_deref(), Some("ttl"));
        let status = described.time_to_live_status.unwrap();
        assert!(
            matches!(
                status,
                TimeToLiveStatus::Enabling | TimeToLiveStatus::Enabled
            ),
            "{status:?}"
        );

        let expired = |mark: &str| {
            Item::from([
                ("pk".to_owned(), text("m")),
                ("mark".to_owned(), text(mark)),
                ("ttl".to_owned(), number(1_700_000_000)),
            ])
        };
        for mark in ["first", "second"] {
            place.put(expired(mark)).await;
            if let Some(item) = place.item(&place.table, "m").await {
                assert_eq!(item["mark"], text(mark));
            }
        }
    })
    .await;
}
