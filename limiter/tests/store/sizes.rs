//! How large a key, an expression and an item may be: the limiter stays within, and what goes beyond is refused whole.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;

use crate::place::{Item, bytes, entry, in_store, meter, text};

#[tokio::test]
async fn the_longest_key_that_the_limiter_makes_is_a_key() {
    in_store(async |place| {
        for length in [1, 1024, 2048] {
            let pk = "k".repeat(length);
            place.put(meter(&pk, 1)).await;
            assert_eq!(place.log(&pk).await, [0], "{length}");
        }
        let long = Item::from([("pk".to_owned(), text(&"k".repeat(2049)))]);
        let refused = place
            .client
            .put_item()
            .table_name(&place.table)
            .set_item(Some(long))
            .send()
            .await;
        assert_eq!(refused.unwrap_err().code(), Some("ValidationException"));
    })
    .await;
}

#[tokio::test]
async fn keys_are_told_apart_to_the_letter() {
    in_store(async |place| {
        let keys = [
            "i|customer|+1",
            "i|customer|+1 ",
            "I|customer|+1",
            "i|customer|＋1",
            "i|customer|é",
            "i|customer|e\u{301}",
        ];
        for (number, pk) in (1_u64..).zip(keys) {
            place.put(meter(pk, number)).await;
        }
        for (number, pk) in (1..).zip(keys) {
            assert_eq!(place.log(pk).await.len(), number, "{pk}");
        }
    })
    .await;
}

/// The most that a pruning asks for: a condition on each of 64 places and on what was folded.
#[tokio::test]
async fn sixty_four_places_are_removed_in_one_request() {
    in_store(async |place| {
        place.put(meter("m", 300)).await;
        let removed: Vec<String> = (0..64)
            .rev()
            .map(|number| format!("#log[{}]", number * 4))
            .collect();
        let conditions: Vec<String> = (0..64)
            .map(|number| format!("#log[{}] = :old{}", number * 4, number * 4))
            .collect();
        let mut request = place
            .client
            .update_item()
            .table_name(&place.table)
            .key("pk", text("m"))
            .expression_attribute_names("#log", "log")
            .expression_attribute_names("#past", "past")
            .update_expression(format!("SET #past = :new REMOVE {}", removed.join(", ")))
            .condition_expression(format!(
                "attribute_not_exists(#past) AND {}",
                conditions.join(" AND ")
            ))
            .expression_attribute_values(":new", bytes(&[7; 2048]));
        for number in 0..64 {
            request = request
                .expression_attribute_values(format!(":old{}", number * 4), entry(number * 4));
        }
        request.send().await.unwrap();
        let line = place.log("m").await;
        assert_eq!(line.len(), 236);
        assert!(line.iter().all(|number| *number >= 256 || number % 4 != 0));
    })
    .await;
}

#[tokio::test]
async fn an_item_that_would_grow_too_large_stays_as_it_was() {
    in_store(async |place| {
        let mut item = meter("m", 1);
        item.insert("past".to_owned(), bytes(&vec![0; 409_000]));
        place.put(item).await;
        let request = place
            .client
            .update_item()
            .table_name(&place.table)
            .key("pk", text("m"))
            .update_expression("SET #log = list_append(#log, :entry)")
            .expression_attribute_names("#log", "log")
            .expression_attribute_values(":entry", crate::place::entries(1..60));
        let refused = request.send().await.unwrap_err();
        assert_eq!(refused.code(), Some("ValidationException"));
        assert_eq!(place.log("m").await, [0]);
    })
    .await;
}
