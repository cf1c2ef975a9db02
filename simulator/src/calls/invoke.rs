//! How a flow invokes a function: Connect's rules, not Lambda's.
//!
//! The function's resource policy has to admit the instance; a throttle or an error is retried up to three times
//! within eight seconds altogether; the answer has to be small and of the shape that the flow asked for. Faults
//! ordered for Lambda's Invoke strike these invocations too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::connect::model::LambdaEntry;
use crate::faults::Struck;
use crate::lambda::{self, Outcome};
use crate::world::World;

const MAX_RETRIES: u32 = 3;
const MAX_TOTAL: Duration = Duration::from_secs(8);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_RESPONSE_BYTES: usize = 32 * 1024;

/// What a flow asks of a function.
#[derive(Debug)]
pub struct Invocation {
    pub function_arn: String,
    pub limit: Duration,
    pub string_map: bool,
    pub source_account: String,
    pub source_arn: String,
    pub event: Value,
}

/// Invokes, retries, judges the answer.
pub async fn invoke(world: &Arc<World>, invocation: &Invocation) -> LambdaEntry {
    let started = Instant::now();
    let mut attempts = 0;
    let result = loop {
        attempts += 1;
        let left = invocation
            .limit
            .min(MAX_TOTAL.saturating_sub(started.elapsed()));
        let (error, retry) = match timeout(left, attempt(world, invocation)).await {
            Ok(Ok(answer)) => break accept(&answer, invocation.string_map),
            Ok(Err((error, retry))) => (error, retry),
            Err(_) => (
                format!("Function timed out after {} ms", left.as_millis()),
                false,
            ),
        };
        let pause = FIRST_PAUSE * 2_u32.pow(attempts - 1);
        if !retry || attempts > MAX_RETRIES || started.elapsed() + pause >= MAX_TOTAL {
            break Err(error);
        }
        sleep(pause).await;
    };
    let (response, error) = match result {
        Ok(response) => (Some(response), None),
        Err(error) => (None, Some(error)),
    };
    LambdaEntry {
        function_arn: invocation.function_arn.clone(),
        attempts,
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        error,
        response,
    }
}

/// One attempt; on failure what the flow's log would say, and whether Connect tries again.
async fn attempt(world: &Arc<World>, invocation: &Invocation) -> Result<Bytes, (String, bool)> {
    let (function, qualifier) = world
        .lambda
        .find_by_arn(&invocation.function_arn)
        .ok_or_else(|| {
            (
                format!(
                    "ResourceNotFoundException: Function not found: {}",
                    invocation.function_arn
                ),
                false,
            )
        })?;
    let admitted = function.policies().get(&qualifier).is_some_and(|policy| {
        policy.admits_service(
            "connect.amazonaws.com",
            &invocation.source_account,
            &invocation.source_arn,
        )
    });
    if !admitted {
        return Err((
            format!(
                "AccessDeniedException: {} may not invoke {}",
                invocation.source_arn, invocation.function_arn
            ),
            false,
        ));
    }
    let payload = Bytes::from(invocation.event.to_string());
    let request = Struck {
        service: "lambda",
        operation: "Invoke",
        account_id: &function.settings.account_id,
        path: &invocation.function_arn,
        query: "",
        body: &payload,
    };
    let effects = world.faults.strike(&request, &mut || world.ids.fraction());
    sleep(effects.delay).await;
    if let Some(error) = effects.refuse {
        return Err((
            error.to_string(),
            error.status == 429 || error.status >= 500,
        ));
    }
    match lambda::invoke(world, &function, qualifier.as_deref(), payload).await {
        Ok(_) if effects.lose_response => {
            Err(("The answer of the function was lost".to_owned(), true))
        }
        Ok(Outcome::Answered(answer)) => Ok(answer),
        Ok(Outcome::Errored(error)) => Err((String::from_utf8_lossy(&error).into_owned(), true)),
        Ok(Outcome::Failed(failure)) => Err((failure.payload().to_string(), true)),
        Err(throttled) => Err((format!("TooManyRequestsException: {throttled}"), true)),
    }
}

fn accept(answer: &[u8], string_map: bool) -> Result<Value, String> {
    if answer.len() > MAX_RESPONSE_BYTES {
        return Err(format!(
            "The response has {} bytes, more than {MAX_RESPONSE_BYTES}",
            answer.len()
        ));
    }
    let value: Value = serde_json::from_slice(answer)
        .map_err(|error| format!("The response is not JSON: {error}"))?;
    let Some(members) = value.as_object() else {
        return Err("The response is not an object".to_owned());
    };
    match members
        .iter()
        .find(|(_, value)| string_map && !value.is_string())
    {
        Some((name, _)) => Err(format!("The response is not a map of text to text: {name}")),
        None => Ok(json!(members)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_small_flat_map_of_text_is_a_string_map() {
        assert_eq!(
            accept(br#"{"CallAllowed":"true"}"#, true),
            Ok(json!({"CallAllowed": "true"}))
        );
        assert_eq!(accept(b"{}", true), Ok(json!({})));
        for bad in [
            &br#"{"CallAllowed":true}"#[..],
            br#"{"a":{"b":"c"}}"#,
            b"null",
            b"\"text\"",
            b"[]",
            b"{",
        ] {
            assert!(
                accept(bad, true).is_err(),
                "{}",
                String::from_utf8_lossy(bad)
            );
        }
        assert!(accept(br#"{"a":{"b":1}}"#, false).is_ok());
        let sized = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length - 8)).into_bytes();
        assert!(accept(&sized(MAX_RESPONSE_BYTES), true).is_ok());
        assert!(accept(&sized(MAX_RESPONSE_BYTES + 1), true).is_err());
    }
}
