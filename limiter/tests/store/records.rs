//! Putting whole items: only the first, only forwards, and seeing at once what was put.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use futures::future::join_all;

use crate::place::{Item, Place, in_store, number, text};

fn put(place: &Place, pk: &str, record: &str, condition: &str) -> PutItemFluentBuilder {
    place
        .client
        .put_item()
        .table_name(&place.table)
        .item("pk", text(pk))
        .item("record", text(record))
        .condition_expression(condition)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}

async fn refused(request: PutItemFluentBuilder) -> Option<Item> {
    match request.send().await {
        Ok(_) => None,
        Err(err) => match err.into_service_error() {
            PutItemError::ConditionalCheckFailedException(refused) => {
                Some(refused.item.expect("the item that stands in the way"))
            }
            other => panic!("{other:?}"),
        },
    }
}

#[tokio::test]
async fn of_fifty_first_records_one_is_kept_and_every_other_sees_it() {
    in_store(async |place| {
        let puts = join_all((0..50).map(|number| async move {
            let record = format!("record {number}");
            (
                record.clone(),
                refused(put(place, "contact", &record, "attribute_not_exists(pk)")).await,
            )
        }))
        .await;
        let kept = place.item(&place.table, "contact").await.unwrap()["record"].clone();
        let first: Vec<_> = puts
            .iter()
            .filter(|(_, refused)| refused.is_none())
            .collect();
        assert_eq!(first.len(), 1);
        assert_eq!(kept, text(&first[0].0));
        assert!(
            puts.iter()
                .filter_map(|(_, refused)| refused.as_ref())
                .all(|item| item["record"] == kept)
        );
    })
    .await;
}

#[tokio::test]
async fn a_denial_stands_against_a_later_record_that_lets_the_call_go() {
    in_store(async |place| {
        let allowing = |record: &str| {
            put(
                place,
                "contact",
                record,
                "attribute_not_exists(pk) OR NOT #denied = :denied",
            )
            .expression_attribute_names("#denied", "denied")
            .expression_attribute_values(":denied", AttributeValue::Bool(true))
            .item("denied", AttributeValue::Bool(false))
        };
        assert_eq!(refused(allowing("first")).await, None);
        assert_eq!(refused(allowing("second")).await, None);
        let denying = put(place, "contact", "denial", "attribute_exists(pk)");
        assert_eq!(
            refused(denying.item("denied", AttributeValue::Bool(true))).await,
            None
        );
        let stands = refused(allowing("third")).await.expect("refused");
        assert_eq!(
            (&stands["record"], &stands["denied"]),
            (&text("denial"), &AttributeValue::Bool(true))
        );
    })
    .await;
}

/// An attribute that is not there fails a comparison, and so its negation holds.
#[tokio::test]
async fn a_record_without_the_attribute_counts_as_not_denied() {
    in_store(async |place| {
        place
            .put(Item::from([("pk".to_owned(), text("old"))]))
            .await;
        let allowing = put(
            place,
            "old",
            "new",
            "attribute_not_exists(pk) OR NOT #denied = :denied",
        )
        .expression_attribute_names("#denied", "denied")
        .expression_attribute_values(":denied", AttributeValue::Bool(true));
        assert_eq!(refused(allowing).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_publication_moves_only_forwards_whichever_publisher_comes_last() {
    in_store(async |place| {
        let publish = |revision: i64| {
            put(
                place,
                "instance",
                &revision.to_string(),
                "attribute_not_exists(pk) OR #revision < :revision",
            )
            .expression_attribute_names("#revision", "revision")
            .expression_attribute_values(":revision", number(revision))
            .item("revision", number(revision))
        };
        // As numbers, not as texts: 9 comes before 10.
        for (revision, kept) in [(9, "9"), (10, "10"), (10, "10"), (2, "10"), (100, "100")] {
            let _ = refused(publish(revision)).await;
            assert_eq!(
                place.item(&place.table, "instance").await.unwrap()["record"],
                text(kept)
            );
        }
        join_all((101..140).map(|revision| refused(publish(revision)))).await;
        assert_eq!(
            place.item(&place.table, "instance").await.unwrap()["record"],
            text("139")
        );
    })
    .await;
}

#[tokio::test]
async fn a_consistent_read_sees_every_write_that_was_answered() {
    in_store(async |place| {
        for round in 0..50 {
            place
                .put(Item::from([
                    ("pk".to_owned(), text("m")),
                    ("n".to_owned(), number(round)),
                ]))
                .await;
            assert_eq!(
                place.item(&place.table, "m").await.unwrap()["n"],
                number(round)
            );
        }
        assert_eq!(place.item(&place.table, "nobody").await, None);
    })
    .await;
}
