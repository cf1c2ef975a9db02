//! Appending: the store puts attempts in a line, and tells each where it stands.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use futures::future::join_all;

use crate::place::{Item, Place, bytes, entries, entry, in_store, log_of, meter, number};

fn append(place: &Place, pk: &str, entry: AttributeValue) -> UpdateItemFluentBuilder {
    place
        .client
        .update_item()
        .table_name(&place.table)
        .key("pk", crate::place::text(pk))
        .update_expression(
            "SET #log = list_append(if_not_exists(#log, :none), :entry), #ttl = :ttl",
        )
        .expression_attribute_names("#log", "log")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
        .expression_attribute_values(":entry", AttributeValue::L(vec![entry]))
        .expression_attribute_values(":ttl", number(2_000_000_000))
        .return_values(ReturnValue::AllNew)
}

async fn appended(place: &Place, pk: &str, number: u64) -> Item {
    let answer = append(place, pk, entry(number)).send().await.unwrap();
    answer.attributes.unwrap()
}

#[tokio::test]
async fn a_hundred_at_once_stand_in_one_line_and_each_sees_all_that_stand_before_it() {
    in_store(async |place| {
        let seen = join_all((0..100).map(|number| async move {
            let item = appended(place, "hot", number).await;
            (number, log_of(&item))
        }))
        .await;
        let line = place.log("hot").await;
        let mut lengths = Vec::new();
        for (number, log) in &seen {
            assert_eq!(log.last(), Some(number), "its own is the latest");
            assert_eq!(log[..], line[..log.len()], "nothing is ever reordered");
            lengths.push(log.len());
        }
        lengths.sort_unstable();
        assert_eq!(
            lengths,
            (1..=100).collect::<Vec<_>>(),
            "no two at one place"
        );
    })
    .await;
}

#[tokio::test]
async fn two_hot_meters_lose_nothing_of_each_other() {
    in_store(async |place| {
        let both = (0..60).map(|number| async move {
            let pk = if number % 2 == 0 { "even" } else { "odd" };
            log_of(&appended(place, pk, number).await)
        });
        join_all(both).await;
        for (pk, rest) in [("even", 0), ("odd", 1)] {
            let mut line = place.log(pk).await;
            line.sort_unstable();
            let wanted: Vec<u64> = (0..60).filter(|number| number % 2 == rest).collect();
            assert_eq!(line, wanted);
        }
    })
    .await;
}

#[tokio::test]
async fn an_append_makes_the_item_and_hands_back_all_of_it() {
    in_store(async |place| {
        let first = appended(place, "new", 7).await;
        assert_eq!(log_of(&first), [7]);
        assert_eq!(first["pk"].as_s().unwrap(), "new");
        assert_eq!(first["ttl"].as_n().unwrap(), "2000000000");
        let past: Vec<u8> = (0..=255).collect();
        let mut item = meter("old", 2);
        item.insert("past".to_owned(), bytes(&past));
        place.put(item).await;
        let next = appended(place, "old", 9).await;
        assert_eq!(log_of(&next), [0, 1, 9]);
        assert_eq!(
            next["past"].as_b().unwrap().as_ref(),
            past,
            "bytes come back as they went"
        );
        assert_eq!(next.len(), 4, "{:?}", next.keys());
    })
    .await;
}

#[tokio::test]
async fn equal_entries_are_kept_apart() {
    in_store(async |place| {
        for _ in 0..3 {
            appended(place, "twice", 5).await;
        }
        assert_eq!(place.log("twice").await, [5, 5, 5]);
    })
    .await;
}

#[tokio::test]
async fn several_entries_are_appended_in_their_order() {
    in_store(async |place| {
        place.put(meter("many", 1)).await;
        let request =
            append(place, "many", entry(1)).expression_attribute_values(":entry", entries([5, 6]));
        let item = request.send().await.unwrap().attributes.unwrap();
        assert_eq!(log_of(&item), [0, 5, 6]);
    })
    .await;
}
