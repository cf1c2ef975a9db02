//! Changing places: only where they still hold what was seen, and all of them or none.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use futures::future::join_all;

use crate::place::{Item, Place, bytes, entry, in_store, log_of, meter, text};

fn update(place: &Place, pk: &str, change: &str, condition: &str) -> UpdateItemFluentBuilder {
    place
        .client
        .update_item()
        .table_name(&place.table)
        .key("pk", text(pk))
        .update_expression(change)
        .condition_expression(condition)
        .expression_attribute_names("#log", "log")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}

/// What stood in the way, or nothing where the change was made.
async fn refused(request: UpdateItemFluentBuilder) -> Option<Option<Item>> {
    match request.send().await {
        Ok(_) => None,
        Err(err) => match err.into_service_error() {
            UpdateItemError::ConditionalCheckFailedException(refused) => Some(refused.item),
            other => panic!("{other:?}"),
        },
    }
}

#[tokio::test]
async fn a_place_is_changed_only_while_it_holds_what_was_seen() {
    in_store(async |place| {
        place.put(meter("m", 3)).await;
        let change = |old: u64, new: u64| {
            update(place, "m", "SET #log[1] = :new", "#log[1] = :old")
                .expression_attribute_values(":old", entry(old))
                .expression_attribute_values(":new", entry(new))
        };
        assert!(refused(change(1, 101)).await.is_none());
        assert_eq!(place.log("m").await, [0, 101, 2]);
        let item = refused(change(1, 102))
            .await
            .expect("refused")
            .expect("the item as it stands");
        assert_eq!(log_of(&item), [0, 101, 2]);
        assert_eq!(item["pk"].as_s().unwrap(), "m");
        assert_eq!(place.log("m").await, [0, 101, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_place_beyond_the_end_and_an_item_that_is_not_there_fail_the_condition() {
    in_store(async |place| {
        place.put(meter("m", 2)).await;
        let change = |pk: &str| {
            update(place, pk, "SET #log[5] = :new", "#log[5] = :old")
                .expression_attribute_values(":old", entry(5))
                .expression_attribute_values(":new", entry(6))
        };
        assert!(refused(change("m")).await.expect("refused").is_some());
        assert!(refused(change("nobody")).await.expect("refused").is_none());
        assert_eq!(place.item(&place.table, "nobody").await, None);
    })
    .await;
}

#[tokio::test]
async fn several_places_change_together_or_not_at_all() {
    in_store(async |place| {
        place.put(meter("m", 5)).await;
        let change = |second: u64| {
            update(
                place,
                "m",
                "SET #log[1] = :new1, #log[3] = :new3",
                "#log[1] = :old1 AND #log[3] = :old3",
            )
            .expression_attribute_values(":old1", entry(1))
            .expression_attribute_values(":old3", entry(second))
            .expression_attribute_values(":new1", entry(101))
            .expression_attribute_values(":new3", entry(103))
        };
        assert!(refused(change(2)).await.is_some());
        assert_eq!(place.log("m").await, [0, 1, 2, 3, 4]);
        assert!(refused(change(3)).await.is_none());
        assert_eq!(place.log("m").await, [0, 101, 2, 103, 4]);
    })
    .await;
}

/// The last place first: a store that shifts the list after each of them then removes the same ones (docs/conformance.md).
#[tokio::test]
async fn places_are_removed_by_where_they_stood_before_any_of_them_went() {
    in_store(async |place| {
        place.put(meter("m", 6)).await;
        let removal = || {
            update(
                place,
                "m",
                "REMOVE #log[5], #log[2], #log[0]",
                "#log[0] = :a AND #log[2] = :b AND #log[5] = :c",
            )
            .expression_attribute_values(":a", entry(0))
            .expression_attribute_values(":b", entry(2))
            .expression_attribute_values(":c", entry(5))
        };
        assert!(refused(removal()).await.is_none());
        assert_eq!(place.log("m").await, [1, 3, 4]);
        let item = refused(removal())
            .await
            .expect("refused")
            .expect("the item");
        assert_eq!(log_of(&item), [1, 3, 4]);
    })
    .await;
}

#[tokio::test]
async fn a_log_whose_every_place_is_removed_can_be_appended_to() {
    in_store(async |place| {
        place.put(meter("m", 2)).await;
        let removal = update(
            place,
            "m",
            "REMOVE #log[1], #log[0]",
            "#log[0] = :a AND #log[1] = :b",
        )
        .expression_attribute_values(":a", entry(0))
        .expression_attribute_values(":b", entry(1));
        assert!(refused(removal).await.is_none());
        assert_eq!(place.log("m").await, Vec::<u64>::new());
    })
    .await;
}

#[tokio::test]
async fn what_is_folded_is_written_with_the_removal_and_only_onto_what_was_folded_before() {
    in_store(async |place| {
        place.put(meter("m", 4)).await;
        let fold = |condition: &str, removed: u64, new: &[u8]| {
            update(
                place,
                "m",
                "SET #past = :new REMOVE #log[0]",
                &format!("{condition} AND #log[0] = :a"),
            )
            .expression_attribute_names("#past", "past")
            .expression_attribute_values(":a", entry(removed))
            .expression_attribute_values(":new", bytes(new))
        };
        assert!(
            refused(fold("attribute_not_exists(#past)", 0, &[1, 0, 255]))
                .await
                .is_none()
        );
        assert!(
            refused(fold("attribute_not_exists(#past)", 1, &[9]))
                .await
                .is_some()
        );
        let onto = |old: &[u8]| {
            fold("#past = :old", 1, &[2, 0]).expression_attribute_values(":old", bytes(old))
        };
        assert!(
            refused(onto(&[1, 0])).await.is_some(),
            "a part of the bytes is not the same bytes"
        );
        assert!(refused(onto(&[1, 0, 255])).await.is_none());
        let item = place.item(&place.table, "m").await.unwrap();
        assert_eq!(item["past"].as_b().unwrap().as_ref(), [2, 0]);
        assert_eq!(log_of(&item), [2, 3]);
    })
    .await;
}

#[tokio::test]
async fn of_fifty_who_mark_one_place_one_succeeds_and_the_others_see_whose_it_is() {
    in_store(async |place| {
        place.put(meter("m", 3)).await;
        let marks = join_all((100..150).map(|number| async move {
            let mark = update(place, "m", "SET #log[1] = :new", "#log[1] = :old")
                .expression_attribute_values(":old", entry(1))
                .expression_attribute_values(":new", entry(number));
            (number, refused(mark).await)
        }))
        .await;
        let won: Vec<u64> = marks
            .iter()
            .filter(|(_, refused)| refused.is_none())
            .map(|(number, _)| *number)
            .collect();
        assert_eq!(won.len(), 1);
        assert_eq!(place.log("m").await, [0, won[0], 2]);
        for item in marks.into_iter().filter_map(|(_, refused)| refused) {
            assert_eq!(log_of(&item.expect("the item")), [0, won[0], 2]);
        }
    })
    .await;
}

/// Appends go on meanwhile: they make no place shift, so a removal holds while the line grows.
#[tokio::test]
async fn a_removal_holds_while_others_append() {
    in_store(async |place| {
        place.put(meter("m", 10)).await;
        let append = |number: u64| {
            update(
                place,
                "m",
                "SET #log = list_append(#log, :entry)",
                "attribute_exists(#log)",
            )
            .expression_attribute_values(":entry", crate::place::entries([number]))
        };
        let removal = update(
            place,
            "m",
            "REMOVE #log[1], #log[0]",
            "#log[0] = :a AND #log[1] = :b",
        )
        .expression_attribute_values(":a", entry(0))
        .expression_attribute_values(":b", entry(1));
        let appends = join_all((100..130).map(|number| refused(append(number))));
        let (appended, removed) = futures::join!(appends, refused(removal));
        assert!(removed.is_none() && appended.iter().all(Option::is_none));
        let line = place.log("m").await;
        assert_eq!(
            (line.len(), &line[..8]),
            (38, &[2, 3, 4, 5, 6, 7, 8, 9][..])
        );
    })
    .await;
}
